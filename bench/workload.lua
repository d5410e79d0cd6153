-- One request, sent without end. The first argument names the workload: s, h, b or p.
-- At the end one line of JSON says what came of it.

local browser = {
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Accept-Language"] = "nl-BE,nl;q=0.9,en-US;q=0.8,en;q=0.7",
  ["Cache-Control"] = "no-cache",
  ["Cookie"] = "uid=5f2c81d0b7; session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI1ZjJjODFkMGI3In0.c2ln; theme=dark; consent=1",
  ["Referer"] = "https://shop.example/search?q=music+stand&page=2",
  ["Sec-Fetch-Dest"] = "document",
  ["Sec-Fetch-Mode"] = "navigate",
  ["Sec-Fetch-Site"] = "same-origin",
  ["Upgrade-Insecure-Requests"] = "1",
}

function init(args)
  local workload = args[1]
  wrk.headers["Host"] = "shop.example"
  if workload == "h" then
    for name, value in pairs(browser) do wrk.headers[name] = value end
  elseif workload == "p" then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = '{"note":"' .. string.rep("x", 4096 - 11) .. '"}'
  end
  wrk.path = "/" .. workload
  local request = wrk.format()
  wrk.request = function() return request end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
