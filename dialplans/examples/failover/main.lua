-- Fail-over: carriers are tried one after the other, each for as long as it takes
-- to ring there. Who is busy, is busy on every carrier.
local carriers = { "carrier1.example.net", "carrier2.example.net", "carrier3.example.net" }

local number = number.e164(call.to.user, "44")
if not number then
  return call:reject(404, "Not a telephone number")
end

for _, carrier in ipairs(carriers) do
  local r = call:dial("sip:" .. number .. "@" .. carrier, { timeout = 30 })
  log.info(carrier, r.status, r.code, r.seconds .. " s")
  if r.status == "answered" then
    return call:tag("carrier", carrier)
  elseif r.status == "busy" then
    return call:reject(486)
  elseif r.status == "cancelled" then
    return
  end
end

call:reject(480, "No carrier could connect the call")
