-- A/B split: sends a share of the callers to a new platform. The hash keeps
-- each caller on the same side for as long as the trial has the same name.
local trial = "platform-2026"
local share = 20 -- percent
local sides = {
  old = "pbx1.example.net",
  new = "pbx2.example.net",
}

local side = hash.percent(call.from.user, trial) < share and "new" or "old"

call:tag(trial, side)
call:redirect("sip:" .. call.to.user .. "@" .. sides[side])
