-- The demo plan: dial 100, 101, 102 or anything else and see what happens.
--
--   dialyard call sip:100@127.0.0.1

local extensions = {
  ["100"] = { "sip:reception@pbx.example.net", "sip:mobile@gw.example.net" },
  ["101"] = { "sip:sales@pbx.example.net" },
}

local user = call.to.user
log.info("call from", call.from.user, "to", user)

if user == "102" then
  return call:reject(486, "On another call")
end

local targets = extensions[user]
if not targets then
  return call:reject(404, "No such extension")
end

call:tag("extension", user)
call:set_header("X-Plan", call.plan .. "/" .. call.version)
call:redirect(targets)
