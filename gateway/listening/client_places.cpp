#include "gateway/listening/client_places.hpp"

#include <random>

#include "exchange/ensure.hpp"

namespace segue::gateway {

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

// IPv4 stands where ::ffff:0:0/96 would be, had it 64 bits: in ::/8, which is nobody's.
ClientKey::ClientKey(const boost::asio::ip::address& address) noexcept : bits_(0) {
  if (address.is_v4()) {
    bits_ = std::uint64_t{0xffff} << 32 | address.to_v4().to_uint();
    return;
  }
  const auto bytes = address.to_v6().to_bytes();
  for (std::size_t i = 0; i < 8; ++i) bits_ = bits_ << 8 | bytes[i];
}

ClientPlaces::ClientPlaces(std::uint64_t limit) : limit_(limit), hash_{random_seed()} {
  for (auto& shard : shards_) shard.emplace(hash_);
}

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::size_t ClientPlaces::Hash::operator()(std::uint64_t client) const noexcept {
  std::uint64_t x = client ^ seed;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// By the upper bits: the lower ones choose the bucket within the shard.
ClientPlaces::Shard& ClientPlaces::shard_of(std::uint64_t client) noexcept {
  return *shards_[hash_(client) >> 58 & (kShards - 1)];
}

ClientPlaces::Place ClientPlaces::take(ClientKey client, Purpose purpose) {
  Shard& shard = shard_of(client.bits());
  const std::lock_guard lock(shard.mutex);
  std::uint64_t& taken = shard.clients[client.bits()][static_cast<std::size_t>(purpose)];
  // A client without a place has no entry yet, and the limit is at least 1.
  if (taken >= limit_) return {};
  ++taken;
  return {*this, client, purpose};
}

void ClientPlaces::give_back(std::uint64_t client, Purpose purpose) noexcept {
  Shard& shard = shard_of(client);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.clients.find(client);
  ensure(found != shard.clients.end(), "who gives a place back has one");
  --found->second[static_cast<std::size_t>(purpose)];
  if (found->second == Counts{}) shard.clients.erase(found);
}

std::size_t ClientPlaces::clients() const {
  std::size_t sum = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    sum += shard->clients.size();
  }
  return sum;
}

ClientPlaces::Place& ClientPlaces::Place::operator=(Place&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  table_ = std::exchange(other.table_, nullptr);
  client_ = other.client_;
  purpose_ = other.purpose_;
  return *this;
}

void ClientPlaces::Place::give_back() noexcept {
  if (table_ != nullptr) std::exchange(table_, nullptr)->give_back(client_, purpose_);
}

}  // namespace segue::gateway
