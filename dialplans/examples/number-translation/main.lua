-- Number translation: what people dial becomes what the carrier wants. The
-- first expression that matches the whole number counts; %1 and %2 are what its
-- brackets matched.
local rules = {
  { [[^(\d{3})$]],             "sip:%1@pbx.example.net" },         -- extension
  { [[^9?00(\d{7,15})$]],      "sip:+%1@carrier.example.net" },    -- abroad
  { [[^9?0([1-9]\d{8,9})$]],   "sip:+44%1@carrier.example.net" },  -- national
  { [[^\+(\d{7,15})$]],        "sip:+%1@carrier.example.net" },    -- as it is
  { [[^([2-9]\d{5,6})$]],      "sip:+4420%1@carrier.example.net" } -- local
}

local dialled = number.strip(call.to.user)
for i, rule in ipairs(rules) do
  local target, count = re.gsub(dialled, rule[1], rule[2])
  if count == 1 then
    call:tag("rule", i)
    return call:redirect(target)
  end
end
call:reject(484, "Cannot make sense of this number")
