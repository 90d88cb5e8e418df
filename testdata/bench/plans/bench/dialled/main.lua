-- Dials the carrier of the number's prefix. All carriers are the bench's own callee here, at the address
-- which it writes over this one.
local callee = "127.0.0.1:5070"
local carriers = { "4420", "44", "1" }

local number = call.to.user
if number:match("^00%d+$") then
  number = number:sub(3)
end

for _, prefix in ipairs(carriers) do
  if number:sub(1, #prefix) == prefix then
    call:dial("sip:" .. number .. "@" .. callee)
    return
  end
end
return call:reject(404, "No carrier for this number")
