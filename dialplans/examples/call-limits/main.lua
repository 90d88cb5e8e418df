-- Call limits: a caller has so many calls a minute, a gateway so many at once.
-- What the first gateway has no room for goes to the next; a place that a call has
-- taken is free again when the call ends.
local calls_a_minute = 6
local gateways = {
  { name = "gw1", host = "gw1.example.net", lines = 30 },
  { name = "gw2", host = "gw2.example.net", lines = 10 },
}

local caller = hash.sha256(call.from.user .. "@" .. call.from.host):sub(1, 16)
local allowed, err = limit.rate("caller " .. caller, calls_a_minute, 60)
if err then
  log.error("cannot count calls:", err)
elseif not allowed then
  return call:reject(480, "Too many calls, try again in a minute")
end

for _, gateway in ipairs(gateways) do
  if limit.slot(gateway.name, gateway.lines) then
    call:tag("gateway", gateway.name)
    local r = call:dial("sip:" .. call.to.user .. "@" .. gateway.host, { timeout = 60 })
    if r.status == "cancelled" or r.status == "answered" then return end
    if r.status == "busy" then return call:reject(486) end
  else
    log.info("no line free on", gateway.name)
  end
end

call:reject(480, "All lines are in use")
