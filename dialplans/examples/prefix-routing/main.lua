-- Prefix routing: the longest prefix of the number chooses the gateways, in the
-- order in which they shall be tried.
local routes = require "routes"

local digits = number.strip(call.to.user)
local gateways, prefix = number.longest_prefix(digits, routes)
if not gateways then
  return call:reject(404, "No route for this number")
end

local targets = {}
for i, gateway in ipairs(gateways) do
  targets[i] = "sip:" .. digits .. "@" .. gateway
end

call:tag("route", prefix)
call:redirect(targets)
