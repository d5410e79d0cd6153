#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace segue::cli {

// Appends RFC 8259 JSON to a string, members in the order they are given; commas are its work,
// nesting is the caller's. Text that is not UTF-8 gets U+FFFD for every octet that is not part of
// a well-formed sequence; octets() also keeps what it was.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void text(std::string_view value);
  void base64(std::string_view value);
  void number(std::int64_t value);
  void number(std::uint64_t value);
  void decimal(double value);  // three decimals
  void boolean(bool value);
  void null();

  void member(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void member(std::string_view name, std::int64_t value) {
    key(name);
    number(value);
  }
  void member(std::string_view name, std::uint64_t value) {
    key(name);
    number(value);
  }
  // "name": text, and where that is not UTF-8 also "name_base64": the octets.
  void octets(std::string_view name, std::string_view value);

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();

  std::string& out_;
  bool first_ = true;       // in the innermost object or array
  bool after_key_ = false;
};

}  // namespace segue::cli
