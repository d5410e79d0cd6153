#include "gateway/listening/trusted_peers.hpp"

#include <boost/asio/error.hpp>
#include <charconv>
#include <cstring>

#include "exchange/error.hpp"

namespace segue::gateway {

namespace {

using boost::asio::ip::address;

boost::asio::ip::address_v6::bytes_type mapped_bytes(const address& from) {
  if (from.is_v6()) return from.to_v6().to_bytes();
  return make_address_v6(boost::asio::ip::v4_mapped, from.to_v4()).to_bytes();
}

}  // namespace

TrustedPeers::TrustedPeers(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    if (entry == "unix") {
      unix_ = true;
      continue;
    }
    const std::size_t slash = entry.find('/');
    boost::system::error_code ec;
    const address base = boost::asio::ip::make_address(entry.substr(0, slash), ec);
    unsigned bits = ec ? 0 : base.is_v4() ? 32u : 128u;
    const unsigned most = bits;
    if (!ec && slash != std::string::npos) {
      const char* end = entry.data() + entry.size();
      const auto parsed = std::from_chars(entry.data() + slash + 1, end, bits);
      if (parsed.ec != std::errc() || parsed.ptr != end || bits > most)
        ec = boost::asio::error::invalid_argument;
    }
    if (ec)
      throw StartupError("trusted_proxies: '" + entry +
                         "' is no address or CIDR block; write one like 10.0.0.0/8, or unix");
    blocks_.push_back({mapped_bytes(base), base.is_v4() ? bits + 96 : bits});
  }
}

bool TrustedPeers::contains(const address& peer) const noexcept {
  const auto bytes = mapped_bytes(peer);
  for (const Block& block : blocks_) {
    const std::size_t whole = block.bits / 8;
    const unsigned rest = block.bits % 8;
    if (std::memcmp(bytes.data(), block.bytes.data(), whole) != 0) continue;
    if (rest == 0 || ((bytes[whole] ^ block.bytes[whole]) >> (8 - rest)) == 0) return true;
  }
  return false;
}

}  // namespace segue::gateway
