#include "gateway/listening/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

namespace segue::gateway {
namespace {

using State = ProxyHeader::State;
using Speaker = ProxyHeader::Speaker;
using Address = ProxyHeader::Address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using std::string_view;

constexpr string_view kLineStart = "PROXY ";
constexpr string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kFixed = 16;         // version 2: signature, command, family, length
constexpr std::size_t kInet = 12;          // two addresses, two ports
constexpr std::size_t kInet6 = 36;         // the same
constexpr std::size_t kUnixPaths = 216;    // two paths
constexpr unsigned char kTypeCrc32c = 0x03;
constexpr std::size_t kTlvHead = 3;        // type and length

ProxyHeader refused(const char* reason) {
  ProxyHeader header;
  header.state = State::refused;
  header.reason = reason;
  return header;
}

ProxyHeader done(std::size_t bytes, Speaker speaker) {
  ProxyHeader header;
  header.state = State::done;
  header.bytes = bytes;
  header.speaker = speaker;
  return header;
}

ProxyHeader of_client(std::size_t bytes, const Address& source, const Address& destination) {
  ProxyHeader header = done(bytes, Speaker::client);
  header.source = source;
  header.destination = destination;
  return header;
}

// Version 1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n".

// What stands before the next space, which is taken as well; all, when there is none.
string_view take_word(string_view& rest) {
  const std::size_t space = rest.find(' ');
  const string_view word = rest.substr(0, space);
  rest.remove_prefix(space == string_view::npos ? rest.size() : space + 1);
  return word;
}

std::optional<boost::asio::ip::address> read_address(string_view text, int family) {
  std::array<unsigned char, 16> bytes{};
  if (text.find('\0') != string_view::npos) return std::nullopt;  // inet_pton() would end there
  if (inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  if (family == AF_INET6) return address_v6(bytes);
  return address_v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::optional<std::uint16_t> read_port(string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (read.ec != std::errc() || read.ptr != end || leading_zero) return std::nullopt;
  return port;
}

// `line`: behind "PROXY ", without its end.
ProxyHeader read_line(string_view line, std::size_t bytes) {
  const bool one_word = line.find(' ') == string_view::npos;
  const string_view family = take_word(line);
  // What an UNKNOWN says behind that word is to be ignored (2.1).
  if (family == "UNKNOWN") return done(bytes, Speaker::unknown);
  if (family != "TCP4" && family != "TCP6") return refused("bad_family");
  if (one_word || std::count(line.begin(), line.end(), ' ') != 3) return refused("bad_line");
  const int version = family == "TCP4" ? AF_INET : AF_INET6;
  const auto source = read_address(take_word(line), version);
  const auto destination = read_address(take_word(line), version);
  if (!source || !destination) return refused("bad_address");
  const auto source_port = read_port(take_word(line));
  const auto destination_port = read_port(line);
  if (!source_port || !destination_port) return refused("bad_port");
  return of_client(bytes, {*source, *source_port}, {*destination, *destination_port});
}

ProxyHeader read_version_1(string_view bytes) {
  const string_view longest = bytes.substr(0, kMaxProxyLine);
  const std::size_t end = longest.find_first_of("\r\n");
  if (end == string_view::npos)
    return bytes.size() >= kMaxProxyLine ? refused("too_long") : ProxyHeader{};
  if (bytes[end] == '\n') return refused("bad_line_end");
  if (end + 2 > kMaxProxyLine) return refused("too_long");
  if (end + 1 == bytes.size()) return {};
  if (bytes[end + 1] != '\n') return refused("bad_line_end");
  return read_line(bytes.substr(kLineStart.size(), end - kLineStart.size()), end + 2);
}

// Version 2: binary, big-endian.

unsigned byte_at(string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
std::uint16_t two_at(string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// Over the whole header, with the checksum's own bytes as zeros (2.2.3).
bool is_checksum_right(string_view header, std::size_t at) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  constexpr std::array<char, 4> kZeros{};
  crc.process_bytes(header.data(), at);
  crc.process_bytes(kZeros.data(), kZeros.size());
  crc.process_bytes(header.data() + at + 4, header.size() - at - 4);
  const std::uint32_t said =
      std::uint32_t{two_at(header, at)} << 16 | std::uint32_t{two_at(header, at + 2)};
  return crc.checksum() == said;
}

// Null: the TLVs from `at` to the end of the header are well-formed.
const char* check_tlvs(string_view header, std::size_t at) {
  bool checked = false;
  while (at < header.size()) {
    if (header.size() - at < kTlvHead) return "bad_tlv";
    const std::size_t length = two_at(header, at + 1);
    const std::size_t value = at + kTlvHead;
    if (header.size() - value < length) return "bad_tlv";
    if (byte_at(header, at) == kTypeCrc32c) {
      if (length != 4 || checked) return "bad_tlv";
      if (!is_checksum_right(header, value)) return "bad_checksum";
      checked = true;
    }
    at = value + length;
  }
  return nullptr;
}

template <class Ip>
Address address_at(string_view bytes, std::size_t ip, std::size_t port) {
  typename Ip::bytes_type raw;
  std::memcpy(raw.data(), bytes.data() + ip, raw.size());
  return {Ip(raw), two_at(bytes, port)};
}

// A family that is known, by the byte that says it together with the transport.
struct Family {
  unsigned char byte;
  std::size_t address_bytes;
};
constexpr std::array<Family, 4> kFamilies{{{0x00, 0}, {0x11, kInet}, {0x21, kInet6},
                                           {0x31, kUnixPaths}}};

// `header`: all of it.
ProxyHeader read_addresses(string_view header, const Family& family) {
  // Where the TLVs of an unspecified family begin is as unspecified (2.2): all of it is skipped.
  if (family.byte == 0x00) return done(header.size(), Speaker::unknown);
  if (const char* damage = check_tlvs(header, kFixed + family.address_bytes))
    return refused(damage);
  switch (family.byte) {
    case 0x11:
      return of_client(header.size(), address_at<address_v4>(header, kFixed, kFixed + 8),
                       address_at<address_v4>(header, kFixed + 4, kFixed + 10));
    case 0x21:
      return of_client(header.size(), address_at<address_v6>(header, kFixed, kFixed + 32),
                       address_at<address_v6>(header, kFixed + 16, kFixed + 34));
    default:
      return done(header.size(), Speaker::unknown);  // a path names nobody here
  }
}

ProxyHeader read_version_2(string_view bytes) {
  constexpr std::size_t kCommand = 12, kFamily = 13, kLength = 14;
  if (bytes.size() <= kCommand) return {};
  if (byte_at(bytes, kCommand) >> 4 != 2) return refused("bad_version");
  const unsigned command = byte_at(bytes, kCommand) & 0x0F;
  if (command > 1) return refused("bad_command");
  const bool local = command == 0;  // whatever family it says is to be ignored (2.2)
  if (bytes.size() <= kFamily) return {};
  const unsigned said = byte_at(bytes, kFamily);
  const auto family = std::find_if(kFamilies.begin(), kFamilies.end(),
                                   [said](const Family& known) { return known.byte == said; });
  if (!local && family == kFamilies.end())
    return refused(said == 0x12 || said == 0x22 || said == 0x32 ? "datagram" : "bad_family");
  if (bytes.size() < kFixed) return {};
  const std::size_t length = two_at(bytes, kLength);
  if (kFixed + length > kMaxProxyHeader) return refused("too_long");
  if (!local && length < family->address_bytes) return refused("too_short");
  if (bytes.size() < kFixed + length) return {};
  if (local) return done(kFixed + length, Speaker::sender);
  return read_addresses(bytes.substr(0, kFixed + length), *family);
}

bool begins_like(string_view bytes, string_view start) {
  const std::size_t size = std::min(bytes.size(), start.size());
  return bytes.substr(0, size) == start.substr(0, size);
}

}  // namespace

ProxyHeader read_proxy_header(string_view bytes, ProxyProtocol accepted) {
  const bool line = begins_like(bytes, kLineStart);
  const bool binary = begins_like(bytes, kSignature);
  if (!line && !binary) return refused("no_header");
  if (bytes.size() < (line ? kLineStart : kSignature).size()) return {};
  if (accepted == (line ? ProxyProtocol::v2 : ProxyProtocol::v1)) return refused("other_version");
  return line ? read_version_1(bytes) : read_version_2(bytes);
}

}  // namespace segue::gateway
