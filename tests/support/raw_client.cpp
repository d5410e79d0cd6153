#include "tests/support/raw_client.hpp"

#include <fmt/format.h>

namespace segue::test {

Message RawClient::response(std::string_view request_method) {
  auto message = reader_.response(request_method);
  if (!message) throw TestFailure("no response; received: " + reader_.rest());
  return *std::move(message);
}

Message RawClient::exchange(std::string_view request) {
  send(request);
  return response(request.substr(0, request.find(' ')));
}

Message RawClient::get(std::string_view target, std::string_view more_fields) {
  return exchange(
      fmt::format("GET {} HTTP/1.1\r\nHost: shop.example\r\n{}\r\n", target, more_fields));
}

}  // namespace segue::test
