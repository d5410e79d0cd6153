#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {

// Whether two names are one to servers: any case, and `_` is `-`, as for CGI.
bool is_same_name(std::string_view left, std::string_view right) noexcept;

// Strict-Transport-Security: over plain HTTP it must not be said (RFC 6797, 7.2).
bool is_for_https_only(std::string_view name) noexcept;

enum class HeadKind : std::uint8_t { request, response };
enum class HeaderEdit : std::uint8_t { set, remove };

// Why a route may not change fields of that name, in words; empty: it may. Framing, what belongs
// to one connection, Host and what the gateway says itself are not for routes.
std::string_view why_not_edited(std::string_view name, HeadKind kind, HeaderEdit edit) noexcept;

// `request_headers` or `response_headers` of a route, prepared once: which fields do not pass, and
// the lines that are added. Immutable.
class HeaderEdits {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  HeaderEdits(const Fields& set, std::span<const std::string> remove);
  HeaderEdits(HeaderEdits&&) = default;  // what is viewed does not move
  HeaderEdits& operator=(HeaderEdits&&) = delete;

  // The field does not pass: it is removed, or another value is set.
  bool drops(std::string_view name) const noexcept;
  // Nothing is said in that name, not by the gateway either. Via, Forwarded and X-Forwarded-* only.
  bool silences(KnownField field) const noexcept {
    return (silenced_ >> static_cast<unsigned>(field) & 1) != 0;
  }

  // What is set. Strict-Transport-Security is for HTTPS only (RFC 6797, 7.2).
  std::span<const Field> set(std::string_view scheme) const noexcept;
  // The same as lines with their ends.
  std::string_view lines(std::string_view scheme) const noexcept {
    return scheme == "https" ? lines_ : plain_lines_;
  }

 private:
  std::vector<std::string> dropped_;  // names
  std::uint64_t lengths_ = 0;         // bit n: a name of n bytes; the last one: longer ones
  std::uint64_t silenced_ = 0;        // bit per KnownField
  Fields texts_;                      // what is set; strict transport security last
  std::vector<Field> set_;            // views into texts_
  std::size_t plain_ = 0;             // of them, over plain HTTP
  std::string lines_;
  std::string plain_lines_;
};

}  // namespace segue::gateway::http1
