#pragma once

#include <span>
#include <string>
#include <string_view>

namespace segue::gateway {

// Beginnings of connections, and what they say: read whole, byte by byte and cut everywhere by the
// parser's test, sent through the running gateway by the end-to-end test.
struct ProxyHeaderCase {
  std::string_view name;
  std::string raw;  // a header, and nothing behind it
  // "sender", "unknown", or "source to destination" with their ports; empty: refused.
  std::string_view said;
  std::string_view reason;  // of a refusal
};

std::span<const ProxyHeaderCase> proxy_header_cases();

// Version 2 with this block of addresses and TLVs behind its fixed part.
std::string binary_proxy_header(unsigned char command, unsigned char family,
                                std::string_view block);

}  // namespace segue::gateway
