#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace segue::gateway {

// Whose connections are counted together: an IPv4 address, or the /64 of an IPv6 address, for that
// is what one household or server gets.
class ClientKey {
 public:
  explicit ClientKey(const boost::asio::ip::address& address) noexcept;
  std::uint64_t bits() const noexcept { return bits_; }

 private:
  std::uint64_t bits_;
};

// `limits.per_client`: how many connections each client has at one time, over all cores. Any
// thread; the lock of one shard is held at the beginning and the end of a connection. Holds an
// entry for each client that has a connection, and no others. Outlives its places.
class ClientPlaces {
 public:
  explicit ClientPlaces(std::uint64_t limit);
  ClientPlaces(const ClientPlaces&) = delete;
  ClientPlaces& operator=(const ClientPlaces&) = delete;

  // What a connection is there for: to be served, or to be told that there are too many. As many
  // may be told at one time as are served.
  enum class Purpose : std::uint8_t { service, refusal };

  // One connection's place, given back with its scope; false when there was none.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept { *this = std::move(other); }
    Place& operator=(Place&& other) noexcept;
    ~Place() { give_back(); }
    explicit operator bool() const noexcept { return table_ != nullptr; }
    void give_back() noexcept;

   private:
    friend class ClientPlaces;
    Place(ClientPlaces& table, ClientKey client, Purpose purpose) noexcept
        : table_(&table), client_(client.bits()), purpose_(purpose) {}

    ClientPlaces* table_ = nullptr;
    std::uint64_t client_ = 0;
    Purpose purpose_ = Purpose::service;
  };
  Place take(ClientKey client, Purpose purpose);

  std::size_t clients() const;  // that have a place now

 private:
  static constexpr std::size_t kShards = 64;

  // Seeded, so that nobody can choose addresses that meet in one place.
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(std::uint64_t client) const noexcept;
  };
  using Counts = std::array<std::uint64_t, 2>;  // by Purpose
  struct Shard {
    explicit Shard(Hash hash) : clients(0, hash) {}
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Counts, Hash> clients;
  };

  Shard& shard_of(std::uint64_t client) noexcept;
  void give_back(std::uint64_t client, Purpose purpose) noexcept;

  const std::uint64_t limit_;
  const Hash hash_;
  std::array<std::optional<Shard>, kShards> shards_;
};

}  // namespace segue::gateway
