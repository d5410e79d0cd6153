-- Small GETs, each connection with a pause between an answer and the next request. The arguments:
-- milliseconds of pause on average (0: none). At the end one line of JSON says what came of it.

local pause = 0

function init(args)
  pause = tonumber(args[1])
  math.randomseed(4711)
  wrk.headers["Host"] = "shop.example"
  wrk.headers["Accept"] = "application/json"
  wrk.path = "/s"
  local request = wrk.format()
  wrk.request = function() return request end
end

-- Spread evenly over half and one and a half of it, so that connections do not march in step.
function delay()
  if pause == 0 then return 0 end
  return math.floor(pause * (0.5 + math.random()) + 0.5)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
