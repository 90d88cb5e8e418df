-- Caller's name: the directory is asked who calls, and the desk sees it. What it
-- said is kept for a day; if it does not answer at once, the call goes on without.
local directory = "https://directory.example.net/names/"
local target = "desk@pbx.example.net"

local function ask_directory(caller)
  local r, err = http.get(directory .. http.escape(caller), { timeout = 1 })
  if not r or r.status ~= 200 then
    return log.warn("no name for", caller, err or r.status)
  end
  local entry = r:json()
  if type(entry) == "table" and type(entry.name) == "string" then
    local plain = re.gsub(entry.name, [=[[^\pL\pN .,'-]]=], "")
    return re.match(plain, "^.{1,40}")
  end
end

local function name_of(caller)
  local key = "name:" .. caller
  local name = kv.get(key)
  if not name then
    name = ask_directory(caller)
    if name then kv.set(key, name, 86400) end
  end
  return name
end

local caller = number.e164(call.from.user, "44")
local name = caller and name_of(caller)

local r = call:dial(target, { timeout = 30, from = { name = name } })
if r.status ~= "answered" and r.status ~= "cancelled" then
  call:redirect("sip:voicemail@pbx.example.net")
end
