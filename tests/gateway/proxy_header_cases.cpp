#include "tests/gateway/proxy_header_cases.hpp"

#include <vector>

namespace segue::gateway {
namespace {

constexpr unsigned char kLocal = 0x20, kProxy = 0x21;
constexpr unsigned char kTcp4 = 0x11, kTcp6 = 0x21, kUnixStream = 0x31;

std::string bytes(std::string_view text) {
  return std::string(text);
}

std::string tlv(unsigned char type, std::string_view value) {
  std::string text(1, static_cast<char>(type));
  text += static_cast<char>(value.size() >> 8);
  text += static_cast<char>(value.size() & 0xff);
  return text.append(value);
}

// 192.0.2.1:56324 to 198.51.100.1:443
const std::string kInet("\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB", 12);
// [2001:db8::1]:54321 to [2001:db8::2]:80
const std::string kInet6(
    "\x20\x01\x0D\xB8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
    "\x20\x01\x0D\xB8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\xD4\x31\x00\x50",
    36);
const std::string kPaths(216, '/');

// Computed by a program of its own, bit by bit, from the definition of CRC-32C.
std::string with_checksum(std::string block) {
  block += tlv(0x03, std::string_view("\0\0\0\0", 4));
  std::string header = binary_proxy_header(kProxy, kTcp4, block);
  std::uint32_t crc = 0xffffffff;
  for (const char c : header) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  crc = ~crc;
  for (std::size_t i = 0; i < 4; ++i)
    header[header.size() - 1 - i] = static_cast<char>(crc >> 8 * i & 0xff);
  return header;
}

std::string with_last_byte_changed(std::string header) {
  header.back() = static_cast<char>(header.back() ^ 1);
  return header;
}

constexpr std::string_view kClient = "192.0.2.1:56324 to 198.51.100.1:443";
constexpr std::string_view kClient6 = "[2001:db8::1]:54321 to [2001:db8::2]:80";

std::vector<ProxyHeaderCase> lines() {
  const std::string start = "PROXY TCP4 192.0.2.1 198.51.100.1 ";
  return {
      {"a line of TCP4", start + "56324 443\r\n", kClient, ""},
      {"a line of TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 54321 80\r\n", kClient6, ""},
      {"an IPv4 address within IPv6", "PROXY TCP6 ::ffff:192.0.2.1 ::1 0 65535\r\n",
       "[::ffff:192.0.2.1]:0 to [::1]:65535", ""},
      {"UNKNOWN alone", "PROXY UNKNOWN\r\n", "unknown", ""},
      {"UNKNOWN with whatever", "PROXY UNKNOWN ffff::1 x 65536 -1\r\n", "unknown", ""},
      {"the longest line", "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", "unknown", ""},
      {"a line that is a byte too long", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n", "",
       "too_long"},
      {"a line without an end", "PROXY UNKNOWN " + std::string(200, 'x'), "", "too_long"},
      {"no header but a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "no_header"},
      {"a request that begins like one", "POST / HTTP/1.1\r\n\r\n", "", "no_header"},
      {"lower case", "proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n", "", "no_header"},
      {"two spaces behind PROXY", "PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n", "", "bad_family"},
      {"a tab", "PROXY\tTCP4 192.0.2.1 198.51.100.1 1 2\r\n", "", "no_header"},
      {"another family", "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", "", "bad_family"},
      {"a family that goes on", "PROXY UNKNOWNS\r\n", "", "bad_family"},
      {"no family", "PROXY \r\n", "", "bad_family"},
      {"a family alone", "PROXY TCP4\r\n", "", "bad_line"},
      {"an address too few", "PROXY TCP4 192.0.2.1 56324 443\r\n", "", "bad_line"},
      {"a word too many", start + "56324 443 1\r\n", "", "bad_line"},
      {"a space at the end", start + "56324 443 \r\n", "", "bad_line"},
      {"two spaces between", start + " 56324 443\r\n", "", "bad_line"},
      {"a name for an address", "PROXY TCP4 localhost 198.51.100.1 1 2\r\n", "", "bad_address"},
      {"IPv6 as TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n", "", "bad_address"},
      {"IPv4 as TCP6", "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n", "", "bad_address"},
      {"an address with a leading zero", "PROXY TCP4 192.0.02.1 198.51.100.1 1 2\r\n", "",
       "bad_address"},
      {"an address in octal", "PROXY TCP4 0300.0.2.1 198.51.100.1 1 2\r\n", "", "bad_address"},
      {"a byte above 255", "PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n", "", "bad_address"},
      {"a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "", "bad_address"},
      {"brackets", "PROXY TCP6 [::1] [::1] 1 2\r\n", "", "bad_address"},
      {"NUL in an address", bytes({"PROXY TCP4 192.0.2.1\0 198.51.100.1 1 2\r\n", 41}), "",
       "bad_address"},
      {"a port with a leading zero", start + "056324 443\r\n", "", "bad_port"},
      {"a port above 65535", start + "65536 443\r\n", "", "bad_port"},
      {"a port with a sign", start + "+1 443\r\n", "", "bad_port"},
      {"a negative port", start + "1 -443\r\n", "", "bad_port"},
      {"letters behind a port", start + "65iii 443\r\n", "", "bad_port"},
      {"an empty port", start + "1 \r\n", "", "bad_port"},
      {"LF alone", start + "56324 443\n", "", "bad_line_end"},
      {"CR alone", start + "56324 443\rGET", "", "bad_line_end"},
      {"CR CR LF", start + "56324 443\r\r\n", "", "bad_line_end"},
  };
}

std::vector<ProxyHeaderCase> binary() {
  const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
  const auto v2 = binary_proxy_header;
  std::string other = v2(kProxy, kTcp4, kInet);
  other[12] = 0x11;
  std::string damaged = v2(kProxy, kTcp4, kInet);
  damaged[11] = '\r';
  const std::string largest = tlv(0xE0, std::string(4096 - 16 - 12 - 3, 'x'));
  return {
      {"TCP over IPv4", v2(kProxy, kTcp4, kInet), kClient, ""},
      {"TCP over IPv6", v2(kProxy, kTcp6, kInet6), kClient6, ""},
      {"a Unix socket elsewhere", v2(kProxy, kUnixStream, kPaths), "unknown", ""},
      {"UNSPEC", v2(kProxy, 0x00, ""), "unknown", ""},
      {"UNSPEC with whatever", v2(kProxy, 0x00, "\x03 not a TLV"), "unknown", ""},
      {"LOCAL", v2(kLocal, 0x00, ""), "sender", ""},
      {"LOCAL with addresses", v2(kLocal, kTcp4, kInet), "sender", ""},
      {"LOCAL with a family that is not known", v2(kLocal, 0xFF, "x"), "sender", ""},
      {"TLVs", v2(kProxy, kTcp4, kInet + tlv(0x01, "h2") + tlv(0x02, "shop") + tlv(0x04, "")),
       kClient, ""},
      {"TLVs over IPv6", v2(kProxy, kTcp6, kInet6 + tlv(0xEA, std::string(300, 'v'))), kClient6,
       ""},
      {"the longest header", v2(kProxy, kTcp4, kInet + largest), kClient, ""},
      {"a checksum", with_checksum(kInet), kClient, ""},
      {"a checksum behind other TLVs", with_checksum(kInet + tlv(0x02, "shop")), kClient, ""},
      {"a wrong checksum", with_last_byte_changed(with_checksum(kInet)), "", "bad_checksum"},
      {"a checksum of three bytes", v2(kProxy, kTcp4, kInet + tlv(0x03, "abc")), "", "bad_tlv"},
      {"a TLV that is cut off", v2(kProxy, kTcp4, kInet + tlv(0x01, "h2").substr(0, 4)), "",
       "bad_tlv"},
      {"bytes that are no TLV", v2(kProxy, kTcp4, kInet + "xx"), "", "bad_tlv"},
      {"a header that is a byte too long", v2(kProxy, kTcp4, kInet + largest + "x"), "",
       "too_long"},
      {"the longest length", signature + "\x21\x11\xFF\xFF", "", "too_long"},
      {"UDP over IPv4", v2(kProxy, 0x12, kInet), "", "datagram"},
      {"UDP over IPv6", v2(kProxy, 0x22, kInet6), "", "datagram"},
      {"a Unix datagram", v2(kProxy, 0x32, kPaths), "", "datagram"},
      {"a family that is not known", v2(kProxy, 0x41, kInet), "", "bad_family"},
      {"a transport without a family", v2(kProxy, 0x01, kInet), "", "bad_family"},
      {"a family without a transport", v2(kProxy, 0x10, kInet), "", "bad_family"},
      {"a command that is not known", v2(0x22, kTcp4, kInet), "", "bad_command"},
      {"another version", other, "", "bad_version"},
      {"a damaged signature", damaged, "", "no_header"},
      {"too short for IPv4", v2(kProxy, kTcp4, kInet.substr(1)), "", "too_short"},
      {"too short for IPv6", v2(kProxy, kTcp6, kInet6.substr(1)), "", "too_short"},
      {"too short for paths", v2(kProxy, kUnixStream, kPaths.substr(1)), "", "too_short"},
      {"an empty line before a request", "\r\nGET / HTTP/1.1\r\n\r\n", "", "no_header"},
  };
}

}  // namespace

std::string binary_proxy_header(unsigned char command, unsigned char family,
                                std::string_view block) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size() & 0xff);
  return header.append(block);
}

std::span<const ProxyHeaderCase> proxy_header_cases() {
  static const std::vector<ProxyHeaderCase> all = [] {
    std::vector<ProxyHeaderCase> cases = lines();
    for (ProxyHeaderCase& one : binary()) cases.push_back(std::move(one));
    return cases;
  }();
  return all;
}

}  // namespace segue::gateway
