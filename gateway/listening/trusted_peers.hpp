#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

namespace segue::gateway {

// Peers whose Forwarded and X-Forwarded-* are believed, and whose PROXY protocol headers are:
// single addresses, CIDR blocks, and "unix" for whoever may connect to a Unix socket.
class TrustedPeers {
 public:
  // Throws StartupError for an entry that is none of them.
  explicit TrustedPeers(const std::vector<std::string>& entries);
  bool contains(const boost::asio::ip::address& address) const noexcept;
  bool contains_unix() const noexcept { return unix_; }

 private:
  struct Block {
    boost::asio::ip::address_v6::bytes_type bytes;  // IPv4 as mapped
    unsigned bits;
  };
  std::vector<Block> blocks_;
  bool unix_ = false;
};

}  // namespace segue::gateway
