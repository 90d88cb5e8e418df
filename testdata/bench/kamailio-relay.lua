-- Relays each call to the callee which the bench names, by the same table of carriers as the bench's plan.
local carriers = { "4420", "44", "1" }

local function relay()
  if KSR.tm.t_relay() < 0 then
    KSR.sl.sl_reply_error()
  end
end

local function within_dialog()
  if KSR.rr.loose_route() > 0 then
    relay()
  elseif KSR.pv.gete("$rm") ~= "ACK" then
    KSR.sl.send_reply(404, "Not here")
  elseif KSR.tm.t_check_trans() > 0 then
    relay()
  end
end

local function target(number)
  if number:match("^00%d+$") then
    number = number:sub(3)
  end
  for _, prefix in ipairs(carriers) do
    if number:sub(1, #prefix) == prefix then
      return "sip:" .. number .. "@" .. KSR.pv.gete("$def(CALLEE)")
    end
  end
end

function ksr_request_route()
  if KSR.maxfwd.process_maxfwd(70) < 0 then
    KSR.sl.send_reply(483, "Too Many Hops")
    return
  end
  if KSR.pv.gete("$tt") ~= "" then
    return within_dialog()
  end
  local method = KSR.pv.gete("$rm")
  if method == "CANCEL" then
    if KSR.tm.t_check_trans() > 0 then
      relay()
    end
    return
  end
  KSR.tm.t_check_trans()
  if method ~= "INVITE" then
    KSR.sl.send_reply(405, "Method Not Allowed")
    return
  end
  local uri = target(KSR.pv.gete("$rU"))
  if not uri then
    KSR.sl.send_reply(404, "No carrier for this number")
    return
  end
  KSR.rr.record_route()
  KSR.pv.sets("$ru", uri)
  relay()
end
