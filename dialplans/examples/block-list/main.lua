-- Block list: refuses callers by number, by prefix and by what they say of
-- themselves; everybody else is put through.
local blocked = {
  ["+442079460123"] = "asked us to",
  ["+442079460124"] = "asked us to",
}
local blocked_prefixes = { "+447", "+88" }

local function objection(caller)
  if caller == "" or caller:lower() == "anonymous" then
    return "no number"
  end
  if number.has_prefix(caller, blocked_prefixes) then
    return "prefix"
  end
  if (call.headers["User-Agent"] or ""):find("scanner", 1, true) then
    return "scanner"
  end
  return blocked[caller]
end

local reason = objection(number.strip(call.from.user))
if reason then
  call:tag("blocked", reason)
  return call:reject(603, "Not wanted")
end
call:redirect("sip:" .. call.to.user .. "@pbx.example.net")
