#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>

namespace segue::recorder {

// HMAC-SHA-256 (RFC 2104) under one key. One thread; allocates at construction only.
class Mac {
 public:
  static constexpr std::size_t kBytes = 32;
  using Tag = std::array<unsigned char, kBytes>;

  explicit Mac(std::span<const unsigned char> key);
  ~Mac();
  Mac(const Mac&) = delete;
  Mac& operator=(const Mac&) = delete;

  Tag of(std::string_view value);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace segue::recorder
