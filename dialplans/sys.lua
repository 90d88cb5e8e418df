-- The names of 2009 in terms of call, log, http, enum and kv. This runs once in
-- a run that uses sys, in an environment of its own. The table it gives has the
-- functions, and the properties as they stand.
local most = 8192 -- bytes of a page

local headers, from = {}, nil
local answered -- the outcome of the dial that was

local sys = { Username = call.account, DialPlanName = call.plan, Trace = false }

-- given is a value, nil for what scripts of 2009 wrote for nothing.
local function given(value)
  if value ~= "" and value ~= 0 then return value end
end

local function over(name)
  if answered then log.warn("the call has been answered: sys." .. name .. " did nothing") end
  return answered
end

local function header(line)
  local name, value = tostring(line):match("^%s*([^:%s]+)%s*:%s*(.-)%s*$")
  if not name then
    error("a header is given as \"Name: value\", not as " .. json.encode(tostring(line):sub(1, 60)), 0)
  end
  return name, value
end

-- without takes a header away, whatever the case of its name.
local function without(name)
  for known in pairs(headers) do
    if known:lower() == name:lower() then headers[known] = nil end
  end
end

function sys.Log(text)
  log(text)
end

function sys.Dial(data, ring, limit)
  if type(data) ~= "string" then error("sys.Dial takes a dial string, not a " .. type(data), 0) end
  if over("Dial") then return answered end
  sys.LastDialled = data
  local r = call:dial(data, { timeout = given(ring), max = given(limit), headers = headers, from = from })
  if sys.Trace then log("sys.Dial", data, r.status, r.code, r.reason) end
  if r.status == "answered" then
    answered = r
  else
    sys.LastFailureStatus, sys.LastFailureReason = r.code, r.reason
  end
  return r
end

function sys.Respond(code, reason, lines)
  if over("Respond") then return end
  if type(lines) == "string" then
    local list = {}
    for line in lines:gmatch("[^|]+") do
      local name, value = header(line)
      list[name] = value
    end
    lines = list
  end
  if type(code) == "number" and code < 200 then return call:ring(code) end
  call:reject(code, given(reason), lines)
end

function sys.SetCustomSIPHeader(line)
  local name, value = header(line)
  without(name)
  headers[name] = value
end

function sys.RemoveCustomSIPHeader(name)
  without(tostring(name))
end

function sys.ClearCustomSIPHeaders()
  headers = {}
end

function sys.SetFromHeader(name, user, host)
  from = { name = given(name), user = given(user), host = given(host) }
end

function sys.ENUMLookup(number)
  local uris, err = enum.lookup(number)
  if not uris then return nil, err end
  return uris[1]
end

function sys.WebGet(url, timeout)
  local r, err = http.get(url, { timeout = given(timeout) })
  if not r then return nil, err end
  if r.status < 200 or r.status > 299 then return nil, "status " .. r.status end
  return r.body:sub(1, most)
end

sys.DBRead = kv.get
sys.DBDelete = kv.delete

function sys.DBWrite(key, value)
  return kv.set(key, value)
end

return sys
