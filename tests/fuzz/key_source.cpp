// Where account ids and sticky keys are read from. Any bytes as a token, a query or a cookie: an
// answer or none. A value that was written by the rules of each is read back as it was.
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "exchange/head.hpp"
#include "routing/escapes.hpp"
#include "routing/jwt_claim.hpp"
#include "routing/key_source.hpp"

namespace {

using namespace segue;

std::string escaped(std::string_view text, std::string_view plain) {
  std::string out;
  for (const char c : text) {
    std::array<char, 8> escape;
    std::snprintf(escape.data(), escape.size(), "%%%02x", static_cast<unsigned char>(c));
    if (plain.find(c) != std::string_view::npos)
      out += c;
    else
      out += escape.data();
  }
  return out;
}

// JSON needs no more than this of bytes below 0x80.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    std::array<char, 8> escape;
    std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned char>(c));
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
      out += escape.data();
    else
      out += c;
  }
  return out + "\"";
}

std::string seven_bits(std::string_view bytes) {
  std::string out(bytes);
  for (char& c : out) c = static_cast<char>(c & 0x7f);
  return out;
}

// RFC 4648, 5, without padding.
std::string base64url(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t kept = 0;
  int bits = 0;
  for (const char c : bytes) {
    kept = kept << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[kept >> (bits - 6) & 63];
  }
  if (bits > 0) out += kDigits[kept << (6 - bits) & 63];
  return out;
}

std::string token_with(std::string_view payload) {
  return "eyJhbGciOiJub25lIn0." + base64url(payload) + ".c2ln";
}

void any_bytes(std::string_view raw) {
  std::string storage;
  for (const std::string& token : {std::string(raw), token_with(raw), "Bearer " + token_with(raw)})
    for (const char* claim : {"sub", "a"}) {
      const auto value = routing::read_jwt_claim(token, claim, storage);
      ensure(!value || value->size() <= 4 * raw.size() + 16, "a claim longer than its token");
    }
  for (const char* name : {"a", "a b", ""}) {
    const auto value = routing::find_query_value(raw, name, storage);
    ensure(!value || value->size() <= raw.size(), "a value longer than its query");
  }
  const std::array fields{Field{"Cookie", raw}, Field{"X-Key", raw}};
  const auto cookie = find_cookie(fields, "a");
  ensure(!cookie || cookie->size() <= raw.size(), "a value longer than its cookie");
  static_cast<void>(routing::decoded(raw));
}

void written_by_the_rules(std::string_view raw) {
  std::string storage;
  const std::string text = seven_bits(raw);
  const auto claim = routing::read_jwt_claim(
      token_with("{\"b\":[{\"sub\":1}],\"sub\":" + json_string(text) + "}"), "sub", storage);
  ensure(text.empty() || (claim && *claim == text), "a claim reads differently");

  const std::string query = "b=1&a=" + escaped(raw, "xyz0189-._~") + "&a=2";
  const auto value = routing::find_query_value(query, "a", storage);
  ensure(value && *value == raw, "a query value reads differently");

  const std::string cookie_text = escaped(raw, "xyz0189");
  const std::string cookies = "b=1; a=" + cookie_text + "; a=2";
  const std::array fields{Field{"Accept", "a=3"}, Field{"Cookie", cookies}};
  const auto cookie = find_cookie(fields, "a");
  ensure(cookie && *cookie == cookie_text, "a cookie reads differently");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  any_bytes(raw);
  written_by_the_rules(raw);
  return 0;
}
