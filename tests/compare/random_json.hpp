#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace segue::test {

// A JSON document of random shape and content, known node by node, so that it can be written in
// another way that means the same, and changed at one known place.
class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed);

  // With other blanks, members in another order, numbers and strings in another notation.
  std::string written();

  // One change, and what is to be found of it: lines of kind and path, without values.
  struct Change {
    std::string document;
    std::vector<std::string> found;
  };
  Change changed();

 private:
  enum class Kind { null, boolean, number, string, array, object };
  struct Value {
    Kind kind = Kind::null;
    std::string text;  // of a scalar
    std::vector<std::string> names;
    std::vector<Value> children;
  };
  Value value(int depth);
  void write(const Value& value, std::string& out);
  void write_number(const std::string& text, std::string& out);
  void write_string(std::string_view text, std::string& out);
  void write_blank(std::string& out);
  std::vector<std::string> change(Value& value, const std::string& path);
  std::uint64_t below(std::uint64_t end) { return random_() % end; }

  std::mt19937_64 random_;
  Value root_;
};

}  // namespace segue::test
