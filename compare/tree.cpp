#include "compare/tree.hpp"

#include <cstring>

namespace segue::compare {

char* TextArena::take(std::size_t bytes) {
  if (bytes > kBlockBytes) {
    large_bytes_ += bytes;
    large_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    return large_.back().get();
  }
  if (!blocks_.empty() && used_ + bytes > kBlockBytes) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size())
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
  char* const room = blocks_[block_].get() + used_;
  used_ += bytes;
  return room;
}

std::string_view TextArena::keep(std::string_view text) {
  if (text.empty()) return {};
  char* const room = take(text.size());
  std::memcpy(room, text.data(), text.size());
  return {room, text.size()};
}

void TextArena::clear() noexcept {
  large_.clear();
  large_bytes_ = 0;
  block_ = 0;
  used_ = 0;
}

}  // namespace segue::compare
