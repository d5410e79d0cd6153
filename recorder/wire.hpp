#pragma once

// The two passes of serialising: the same description of a message is run over a Counting, which
// notes the length of every submessage, then over a Writing, which needs them before the content.
// Fields with their default value are left out, as proto3 does.

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "recorder/utf8.hpp"

namespace segue::recorder::wire {

using google::protobuf::io::CodedOutputStream;
using google::protobuf::internal::WireFormatLite;

constexpr std::uint32_t delimited(int field) {
  return static_cast<std::uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
}
constexpr std::uint32_t number(int field) {
  return static_cast<std::uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_VARINT;
}
constexpr std::size_t tag_size(std::uint32_t tag) { return tag < 0x80 ? 1 : 2; }
inline std::size_t varint_size(std::uint64_t value) {
  return CodedOutputStream::VarintSize64(value);
}
inline std::size_t delimited_size(std::size_t bytes) {
  return CodedOutputStream::VarintSize32(static_cast<std::uint32_t>(bytes)) + bytes;
}
// name = 1, value = 2 of Field and Parameter.
inline std::size_t pair_size(std::string_view name, std::string_view value) {
  return (name.empty() ? 0 : 1 + delimited_size(name.size())) +
         (value.empty() ? 0 : 1 + delimited_size(value.size()));
}

class Counting {
 public:
  explicit Counting(std::vector<std::uint32_t>& lengths) : lengths_(lengths) { lengths.clear(); }

  std::size_t total() const { return total_; }

  void varint(std::uint32_t tag, std::uint64_t value) {
    if (value != 0) present(tag, value);
  }
  void present(std::uint32_t tag, std::uint64_t value) {
    total_ += tag_size(tag) + varint_size(value);
  }
  void bytes(std::uint32_t tag, std::string_view value) {
    if (!value.empty()) total_ += tag_size(tag) + delimited_size(value.size());
  }
  void text(std::uint32_t tag, std::string_view value) { bytes(tag, value); }
  void pieces(std::uint32_t tag, std::span<const std::string_view>, std::size_t size) {
    if (size != 0) total_ += tag_size(tag) + delimited_size(size);
  }
  void pair(std::uint32_t tag, std::string_view name, std::string_view value) {
    total_ += tag_size(tag) + delimited_size(pair_size(name, value));
  }
  void encoded(std::string_view fields) { total_ += fields.size(); }
  void packed(std::uint32_t tag, std::span<const std::uint16_t> values) {
    if (values.empty()) return;
    message(tag, [&] {
      for (const std::uint16_t value : values) total_ += varint_size(value);
    });
  }
  template <class Body>
  void message(std::uint32_t tag, Body&& body) {
    const std::size_t slot = lengths_.size();
    lengths_.push_back(0);
    const std::size_t before = total_;
    body();
    const std::size_t length = total_ - before;
    lengths_[slot] = static_cast<std::uint32_t>(length);
    total_ += tag_size(tag) + delimited_size(length) - length;
  }

 private:
  std::vector<std::uint32_t>& lengths_;
  std::size_t total_ = 0;
};

// Writes what a Counting over the same description has counted; `out` has room for exactly that.
class Writing {
 public:
  Writing(char* out, const std::vector<std::uint32_t>& lengths)
      : at_(reinterpret_cast<std::uint8_t*>(out)), lengths_(lengths) {}

  const char* end() const { return reinterpret_cast<const char*>(at_); }

  void varint(std::uint32_t tag, std::uint64_t value) {
    if (value != 0) present(tag, value);
  }
  void present(std::uint32_t tag, std::uint64_t value) {
    write_tag(tag);
    at_ = CodedOutputStream::WriteVarint64ToArray(value, at_);
  }
  void bytes(std::uint32_t tag, std::string_view value) {
    if (value.empty()) return;
    write_tag(tag);
    length(value.size());
    raw(value);
  }
  // proto3 refuses a string that is not UTF-8, and with it the whole message: octets that are
  // not become '?', which keeps the length.
  void text(std::uint32_t tag, std::string_view value) {
    if (value.empty()) return;
    write_tag(tag);
    length(value.size());
    if (is_utf8(value)) [[likely]]
      return raw(value);
    for (const char c : value)
      *at_++ = (static_cast<unsigned char>(c) & 0x80U) != 0 ? '?' : static_cast<std::uint8_t>(c);
  }
  // The first `size` bytes of `blocks`.
  void pieces(std::uint32_t tag, std::span<const std::string_view> blocks, std::size_t size) {
    if (size == 0) return;
    write_tag(tag);
    length(size);
    for (const std::string_view block : blocks) {
      const std::string_view piece = block.substr(0, size);
      raw(piece);
      size -= piece.size();
    }
  }
  void pair(std::uint32_t tag, std::string_view name, std::string_view value) {
    write_tag(tag);
    length(pair_size(name, value));
    bytes(delimited(1), name);
    bytes(delimited(2), value);
  }
  void encoded(std::string_view fields) { raw(fields); }
  void packed(std::uint32_t tag, std::span<const std::uint16_t> values) {
    if (values.empty()) return;
    message(tag, [&] {
      for (const std::uint16_t value : values)
        at_ = CodedOutputStream::WriteVarint32ToArray(value, at_);
    });
  }
  template <class Body>
  void message(std::uint32_t tag, Body&& body) {
    write_tag(tag);
    length(lengths_[next_++]);
    body();
  }

 private:
  void write_tag(std::uint32_t tag) { at_ = CodedOutputStream::WriteVarint32ToArray(tag, at_); }
  void length(std::size_t bytes) {
    at_ = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(bytes), at_);
  }
  void raw(std::string_view value) {
    if (value.empty()) return;  // its data may be null
    std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }

  std::uint8_t* at_;
  const std::vector<std::uint32_t>& lengths_;
  std::size_t next_ = 0;
};

}  // namespace segue::recorder::wire
