-- Asks for the paths in the file BENCH_PATHS, one after the other from a place of its own; BENCH_ONCE asks each once.
-- A line is a path, or a path and an ETag for If-None-Match behind a tab. BENCH_KEY is sent as a bearer token.
local requests, at = {}, 0
local key = os.getenv("BENCH_KEY")
for line in io.lines(os.getenv("BENCH_PATHS")) do
  local path, etag = line:match("^([^\t]+)\t?(.*)$")
  local headers = {["Host"] = "127.0.0.1", ["Accept"] = "application/json"}
  if etag ~= "" then headers["If-None-Match"] = etag end
  if key then headers["Authorization"] = "Bearer " .. key end
  requests[#requests + 1] = wrk.format("GET", path, headers)
end
function request()
  at = at % #requests + 1
  return requests[at]
end
