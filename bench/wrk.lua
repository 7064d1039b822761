-- Requests for wrk: a body that is the same every time, or one that is never the same twice.
--
-- Arguments: the request head (without Content-Length), the body template, the first counter value, and the milliseconds
-- that each connection pauses between two requests (0: none).
-- A template marks what varies as @@base|fine|coarse@@: base + fine * (n % 1000) + coarse * floor(n / 1000), where n counts
-- requests. wrk runs one thread here, so that one counter serves all connections.

local head, parts, n, fixed

local function read(path)
  local file = assert(io.open(path, "rb"))
  local content = file:read("*a")
  file:close()
  return content
end

local function split(template)
  local found, position = {}, 1
  while true do
    local first, last, base, fine, coarse = template:find("@@([^|@]+)|([^|@]+)|([^|@]+)@@", position)
    if not first then break end
    found[#found + 1] = template:sub(position, first - 1)
    found[#found + 1] = { base = tonumber(base), fine = tonumber(fine), coarse = tonumber(coarse) }
    position = last + 1
  end
  found[#found + 1] = template:sub(position)
  return found
end

function init(arguments)
  head = read(arguments[1])
  parts = split(read(arguments[2]))
  n = tonumber(arguments[3])
  local pause = tonumber(arguments[4] or 0)
  if pause > 0 then
    function delay() return pause end
  end
  if #parts == 1 then
    fixed = head .. "Content-Length: " .. #parts[1] .. "\r\n\r\n" .. parts[1]
  end
end

function request()
  if fixed then return fixed end
  local fine, coarse, body = n % 1000, math.floor(n / 1000), {}
  for i = 1, #parts do
    local part = parts[i]
    if type(part) == "table" then
      body[i] = string.format("%.9f", part.base + part.fine * fine + part.coarse * coarse)
    else
      body[i] = part
    end
  end
  n = n + 1
  body = table.concat(body)
  return head .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"status_errors":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
