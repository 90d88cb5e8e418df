-- Toll guard: keeps calls away from numbers that cost a fortune. National calls
-- go through; calls abroad only for some extensions, only by day, and never to
-- the destinations that fraud likes best.
local may_call_abroad = { ["200"] = true, ["201"] = true }
local never = { "+1900", "+882", "+883", "+960", "+979" }
local premium = { "+449", "+4487" }

local target = number.e164(call.to.user, "44")
if not target then
  return call:reject(484, "This is not a telephone number")
end

local function refuse(rule)
  log.warn("refused", call.from.user, "to", target, "by rule", rule)
  call:tag("toll-guard", rule)
  return call:reject(403, "Not allowed from this extension", { ["X-Rule"] = rule })
end

if number.has_prefix(target, never) then return refuse("never") end
if number.has_prefix(target, premium) then return refuse("premium") end

if not number.has_prefix(target, "+44") then
  if not may_call_abroad[call.from.user] then return refuse("abroad") end
  if not time.between("07:00", "20:00", "Europe/London") then return refuse("hour") end
end
call:redirect("sip:" .. target .. "@trunk.example.net")
