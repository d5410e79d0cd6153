#include "warehouse/sql/object_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace segue::warehouse {
namespace {

// What is larger than this part of the cache is not kept.
constexpr std::uint64_t kLargestPart = 8;
// One of them is whole wherever the object ends.
constexpr std::uint64_t kEndBlocks = 2;

}  // namespace

std::optional<OpenObject> ObjectCache::open(std::string_view key) {
  if (holds_some_of(key)) {
    auto version = store_->version(key);
    if (!version) return std::nullopt;
    return opened(key, std::move(*version));
  }
  auto end = store_->read_end(key, kEndBlocks * settings_.block_bytes);
  if (!end) return std::nullopt;
  OpenObject object = opened(key, std::move(end->version));
  keep_end(object, end->content);
  return object;
}

OpenObject ObjectCache::opened(std::string_view key, ObjectVersion version) {
  OpenObject object{.key = std::string(key), .version = std::move(version), .identity = {}};
  if (!object.version.tag.empty()) {
    object.identity = fmt::format("tag {} {}", object.version.tag, object.version.bytes);
  } else {
    const std::lock_guard lock(mutex_);
    object.identity = fmt::format("untold {}", ++untold_);
  }
  return object;
}

bool ObjectCache::holds_some_of(std::string_view key) {
  const std::string begin = fmt::format("{}\n", key);
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.lower_bound(begin);
  return found != by_name_.end() && found->first.starts_with(begin);
}

// The blocks that are whole in `end`, the last octets of the object.
void ObjectCache::keep_end(const OpenObject& object, std::string_view end) {
  const std::uint64_t block = settings_.block_bytes;
  const std::uint64_t begin = object.version.bytes - end.size();
  for (std::uint64_t index = (begin + block - 1) / block; index * block < object.version.bytes;
       ++index)
    keep(std::make_shared<const Block>(
        Block{.name = name_of(object, index),
              .content = std::string(end.substr(index * block - begin, block))}));
}

std::string ObjectCache::name_of(const OpenObject& object, std::uint64_t index) const {
  return fmt::format("{}\n{}\n{}", object.key, object.identity, index);
}

ObjectCache::Kept ObjectCache::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  blocks_.splice(blocks_.begin(), blocks_, found->second);
  return *found->second;
}

void ObjectCache::keep(Kept block) {
  const std::lock_guard lock(mutex_);
  if (by_name_.contains(block->name)) return;
  bytes_ += block->content.size();
  blocks_.push_front(std::move(block));
  by_name_.emplace(blocks_.front()->name, blocks_.begin());
  while (bytes_ > settings_.total_bytes) {
    bytes_ -= blocks_.back()->content.size();
    by_name_.erase(blocks_.back()->name);
    blocks_.pop_back();
  }
}

// Blocks `first` to `last`, by as few requests as the limit allows.
std::vector<ObjectCache::Kept> ObjectCache::fetch(const OpenObject& object, std::uint64_t first,
                                                  std::uint64_t last) {
  const std::uint64_t block = settings_.block_bytes;
  const std::uint64_t at_once = std::max<std::uint64_t>(1, settings_.request_bytes / block);
  const bool kept = (last - first + 1) * block <= settings_.total_bytes / kLargestPart;
  std::vector<Kept> blocks;
  while (first <= last) {
    const std::uint64_t count = std::min(at_once, last - first + 1);
    const std::uint64_t offset = first * block;
    const std::uint64_t bytes = std::min(count * block, object.version.bytes - offset);
    const std::string content = store_->read_version(object.key, object.version, offset, bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      blocks.push_back(std::make_shared<const Block>(
          Block{.name = name_of(object, first + i), .content = content.substr(i * block, block)}));
      if (kept) keep(blocks.back());
    }
    first += count;
  }
  return blocks;
}

void ObjectCache::read(const OpenObject& object, std::uint64_t offset, std::span<char> into) {
  if (into.empty()) return;
  if (offset > object.version.bytes || into.size() > object.version.bytes - offset)
    throw StorageError(fmt::format("{}: {} ends at byte {}, before byte {}: it is damaged, or no "
                                   "whole file",
                                   store_->name(), object.key, object.version.bytes,
                                   offset + into.size()));
  const std::uint64_t block = settings_.block_bytes;
  const std::uint64_t first = offset / block;
  const std::uint64_t last = (offset + into.size() - 1) / block;
  const std::uint64_t final = (object.version.bytes - 1) / block;
  std::vector<Kept> blocks;
  for (std::uint64_t index = first; index <= last; ++index)
    blocks.push_back(find(name_of(object, index)));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i]) continue;
    std::size_t end = i;  // of a run of blocks that are missing
    while (end + 1 < blocks.size() && !blocks[end + 1]) ++end;
    // Who reads a file's last octets reads what is before them next: the end of a Parquet file says
    // how long its footer is.
    const bool tail = i == 0 && first > 0 && first + end == final;
    auto fetched = fetch(object, first + i - (tail ? 1 : 0), first + end);
    if (tail) fetched.erase(fetched.begin());
    std::ranges::move(fetched, blocks.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::size_t skipped = offset - first * block;
  for (const Kept& piece : blocks) {
    const std::size_t bytes = std::min(piece->content.size() - skipped, into.size());
    std::memcpy(into.data(), piece->content.data() + skipped, bytes);
    into = into.subspan(bytes);
    skipped = 0;
  }
}

}  // namespace segue::warehouse
