-- The requests of tests/production: each has an id and claims an address that is not its own.
local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  count = 0
  json = '{"name": "kettle", "value": 30}'
end

function request()
  count = count + 1
  local headers = {["X-Request-ID"] = "load." .. number .. "." .. count, ["X-Forwarded-For"] = "203.0.113.7"}
  local turn = count % 10
  if turn == 0 then return wrk.format("GET", "/item/999999999", headers) end
  if turn == 1 or turn == 6 then
    headers["Content-Type"] = "application/json"
    return wrk.format("POST", "/item", headers, json)
  end
  if turn == 2 then return wrk.format("GET", "/item?limit=20", headers) end
  if turn == 3 then return wrk.format("GET", "/", headers) end
  return wrk.format("GET", "/item/" .. (count % 3 + 1), headers)
end
