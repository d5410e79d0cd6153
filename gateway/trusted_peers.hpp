#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

namespace segue::gateway {

// Addresses of peers whose Forwarded and X-Forwarded-* are believed: single ones and CIDR blocks.
class TrustedPeers {
 public:
  // Throws StartupError for an entry that is neither.
  explicit TrustedPeers(const std::vector<std::string>& entries);
  bool contains(const boost::asio::ip::address& address) const noexcept;

 private:
  struct Block {
    boost::asio::ip::address_v6::bytes_type bytes;  // IPv4 as mapped
    unsigned bits;
  };
  std::vector<Block> blocks_;
};

}  // namespace segue::gateway
