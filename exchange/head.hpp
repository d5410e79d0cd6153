#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace segue {

// One header field as it stood on the wire, without the colon and the blanks around the value.
struct Field {
  std::string_view name;
  std::string_view value;
};

// The head of a request, whatever framed it (HTTP/1.1 now, HTTP/2 later): views into the
// session's buffer, valid as long as the exchange is being served.
struct HeadView {
  std::string_view method;     // "GET"; case-sensitive (RFC 9110, 9.1)
  std::string_view scheme;     // "http" or "https": how the client reached the gateway
  std::string_view authority;  // Host, or the authority of an absolute-form target; with port
  std::string_view target;     // origin-form or "*", raw bytes as they will be forwarded
  std::span<const Field> fields;
};

// ASCII-only, locale-free; header names and host names compare this way (RFC 9110, 5.1).
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

// The first field of that name, or nullopt. O(fields).
std::optional<std::string_view> find_field(std::span<const Field> fields,
                                           std::string_view name) noexcept;

// Reads "a=1; b=2" (RFC 6265, 4.2.1): the value of the first cookie of that name over all Cookie
// fields, or nullopt. Quotes around a value are kept.
std::optional<std::string_view> find_cookie(std::span<const Field> fields,
                                            std::string_view name) noexcept;

// Safe (RFC 9110, 9.2.1): GET, HEAD, OPTIONS, TRACE. An unsafe method gets an intent in the
// journal before its first byte goes upstream.
bool is_safe_method(std::string_view method) noexcept;

// Idempotent (RFC 9110, 9.2.2): the safe methods, PUT and DELETE.
bool is_idempotent_method(std::string_view method) noexcept;

}  // namespace segue
