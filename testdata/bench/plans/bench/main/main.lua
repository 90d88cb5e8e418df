-- Sends national and international numbers to the carrier of their prefix, short ones to the office.
local carriers = {
  { prefix = "4420", gateway = "london.example.net" },
  { prefix = "44",   gateway = "uk.example.net" },
  { prefix = "1",    gateway = "america.example.net" },
}

local number = call.to.user
if number:match("^00%d+$") then
  number = number:sub(3)
elseif #number <= 4 then
  return call:redirect("sip:" .. number .. "@office.example.net")
end

for _, carrier in ipairs(carriers) do
  if number:sub(1, #carrier.prefix) == carrier.prefix then
    return call:redirect("sip:" .. number .. "@" .. carrier.gateway)
  end
end
return call:reject(404, "No carrier for this number")
