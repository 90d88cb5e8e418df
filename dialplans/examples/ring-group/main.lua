-- A ring group: the desks ring together, the mobile joins in after ten seconds;
-- if nobody answers, the call goes to voice mail.
local group = {
  "desk1@pbx.example.net",
  "desk2@pbx.example.net",
  { target = "mobile@gw.example.net", delay = 10, from = { name = "Office line" } },
}

local r = call:dial(group, { timeout = 25, headers = { ["X-Group"] = "office" } })

if r.status == "answered" then
  call:tag("answered after", r.seconds)
elseif r.status == "busy" or r.status == "no_answer" then
  call:redirect("sip:voicemail@pbx.example.net")
elseif r.status ~= "cancelled" then
  call:reject(r.code >= 400 and r.code or 480, r.reason)
end
