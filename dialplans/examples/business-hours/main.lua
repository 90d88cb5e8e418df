-- Business hours: the office answers on weekdays from nine to half past five,
-- except on holidays; the night service takes the rest, but not on Sundays.
local zone = "Europe/London"
local holidays = { ["01-01"] = "New Year", ["12-25"] = "Christmas", ["12-26"] = "Boxing Day" }

local now = time.now(zone)
local holiday = holidays[string.format("%02d-%02d", now.month, now.day)]
local weekend = now.weekday == "sat" or now.weekday == "sun"

if holiday then
  call:tag("closed", holiday)
  return call:redirect("sip:holiday-greeting@media.example.net")
end

if not weekend and time.between("09:00", "17:30", zone) then
  return call:redirect("sip:office@pbx.example.net")
end

if now.weekday == "sun" then
  return call:reject(480, "We are back on Monday at nine")
end
call:redirect("sip:night@pbx.example.net")
