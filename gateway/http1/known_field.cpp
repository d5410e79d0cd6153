#include <cstring>

#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {
namespace {

template <class Word>
Word load_lower(const char* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word | static_cast<Word>(0x2020202020202020u);
}

// Compares a token of the same length with a lower-case name, eight bytes at a time. Setting bit
// 0x20 makes letters lower-case and cannot make another token byte equal to a byte of `lower`.
template <std::size_t N>
bool is(const char* name, const char (&lower)[N]) noexcept {
  constexpr std::size_t kSize = N - 1;
  if constexpr (kSize >= 8) {
    for (std::size_t i = 0; i + 8 <= kSize; i += 8)
      if (load_lower<std::uint64_t>(name + i) != load_lower<std::uint64_t>(lower + i)) return false;
    return load_lower<std::uint64_t>(name + kSize - 8) ==
           load_lower<std::uint64_t>(lower + kSize - 8);
  } else if constexpr (kSize >= 4) {
    return load_lower<std::uint32_t>(name) == load_lower<std::uint32_t>(lower) &&
           load_lower<std::uint32_t>(name + kSize - 4) ==
               load_lower<std::uint32_t>(lower + kSize - 4);
  } else {
    for (std::size_t i = 0; i < kSize; ++i)
      if ((name[i] | 0x20) != lower[i]) return false;
    return true;
  }
}

KnownField classify_short(const char* p, std::size_t size) noexcept {
  using enum KnownField;
  switch (size) {
    case 2:
      return is(p, "te") ? te : other;
    case 3:
      return is(p, "via") ? via : other;
    case 4:
      return is(p, "host") ? host : is(p, "date") ? date : other;
    case 6:
      return is(p, "cookie") ? cookie : is(p, "expect") ? expect : is(p, "server") ? server : other;
    case 7:
      return is(p, "upgrade") ? upgrade : is(p, "trailer") ? trailer : other;
    case 9:
      return is(p, "forwarded") ? forwarded : is(p, "x-real-ip") ? x_real_ip : other;
    case 10:
      return is(p, "connection")   ? connection
             : is(p, "keep-alive") ? keep_alive
             : is(p, "set-cookie") ? set_cookie
                                   : other;
    default:
      return other;
  }
}

KnownField classify_long(const char* p, std::size_t size) noexcept {
  using enum KnownField;
  switch (size) {
    case 12:
      return is(p, "content-type") ? content_type : is(p, "max-forwards") ? max_forwards : other;
    case 13:
      return is(p, "authorization") ? authorization : other;
    case 14:
      return is(p, "content-length")   ? content_length
             : is(p, "http2-settings") ? http2_settings
                                       : other;
    case 15:
      return is(p, "x-forwarded-for") ? x_forwarded_for : other;
    case 16:
      return is(p, "content-encoding")   ? content_encoding
             : is(p, "x-forwarded-host") ? x_forwarded_host
             : is(p, "proxy-connection") ? proxy_connection
                                         : other;
    case 17:
      return is(p, "transfer-encoding")   ? transfer_encoding
             : is(p, "x-forwarded-proto") ? x_forwarded_proto
                                          : other;
    case 18:
      return is(p, "proxy-authenticate") ? proxy_authenticate : other;
    case 19:
      return is(p, "proxy-authorization") ? proxy_authorization : other;
    default:
      return other;
  }
}

}  // namespace

KnownField classify(std::string_view name) noexcept {
  const char* const p = name.data();
  const KnownField known =
      name.size() <= 10 ? classify_short(p, name.size()) : classify_long(p, name.size());
  if (known != KnownField::other) return known;
  if (name.size() >= 6 && is(p, "segue-")) return KnownField::segue;
  if (name.size() >= 12 && is(p, "x-forwarded-") && name.find('_') == std::string_view::npos)
    return KnownField::x_forwarded_other;
  return name.find('_') == std::string_view::npos ? KnownField::other : KnownField::underscore;
}

}  // namespace segue::gateway::http1
