-- wrk's requests: POST /resend, each for another address.
local number = 0
local headers = { ["Content-Type"] = "application/json" }

function request()
  number = number + 1
  local body = string.format('{"type":"signup","email":"user%d@example.com"}', number)
  return wrk.format("POST", "/resend", headers, body)
end
