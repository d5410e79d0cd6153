#include "tests/compare/random_json.hpp"

#include <algorithm>
#include <numeric>

namespace segue::test {

RandomJson::RandomJson(std::uint64_t seed) : random_(seed) {
  do root_ = value(0);
  while (root_.children.empty());
}

RandomJson::Value RandomJson::value(int depth) {
  constexpr std::uint64_t kKinds = 6;
  constexpr std::uint64_t kScalars = 4;
  constexpr int kMostDepth = 5;
  Value made;
  made.kind = static_cast<Kind>(below(depth < kMostDepth ? kKinds : kScalars));
  switch (made.kind) {
    case Kind::null:
      made.text = "null";
      break;
    case Kind::boolean:
      made.text = below(2) == 0 ? "true" : "false";
      break;
    case Kind::number:  // whole, and longer than any machine's
      made.text = std::to_string(random_()) + std::to_string(1 + below(9));
      break;
    case Kind::string:
      for (std::uint64_t i = 0, size = 1 + below(12); i < size; ++i)
        made.text += "abcxyz \"\\/\n\t"[below(12)];
      break;
    case Kind::array:
    case Kind::object:
      for (std::uint64_t i = 0, size = below(6); i < size; ++i) {
        made.children.push_back(value(depth + 1));
        made.names.push_back("m" + std::string(1, static_cast<char>('a' + i)));
      }
      break;
  }
  return made;
}

void RandomJson::write_blank(std::string& out) {
  if (below(4) == 0) out += " \n\t\r"[below(4)];
}

void RandomJson::write_number(const std::string& text, std::string& out) {
  switch (below(4)) {
    case 0:
      out += text + ".000";
      return;
    case 1:
      out += text + "00e-2";
      return;
    case 2:
      out += text.substr(0, 1) + "." + text.substr(1) + "E+" + std::to_string(text.size() - 1);
      return;
    default:
      out += text;
  }
}

void RandomJson::write_string(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  out += '"';
  for (const char c : text) {
    const bool must_escape = c == '"' || c == '\\' || c == '\n' || c == '\t';
    if (!must_escape && below(8) != 0) {
      out += c;
    } else {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  out += '"';
}

void RandomJson::write(const Value& value, std::string& out) {
  write_blank(out);
  if (value.kind == Kind::number) {
    write_number(value.text, out);
  } else if (value.kind == Kind::string) {
    write_string(value.text, out);
  } else if (value.kind != Kind::array && value.kind != Kind::object) {
    out += value.text;
  } else {
    const bool is_object = value.kind == Kind::object;
    std::vector<std::size_t> order(value.children.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (is_object) std::ranges::shuffle(order, random_);
    out += is_object ? '{' : '[';
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out += ',';
      if (is_object) {
        write_blank(out);
        write_string(value.names[order[i]], out);
        write_blank(out);
        out += ':';
      }
      write(value.children[order[i]], out);
    }
    out += is_object ? '}' : ']';
  }
  write_blank(out);
}

std::string RandomJson::written() {
  std::string out;
  write(root_, out);
  return out;
}

// Somewhere within `value`, which is a container or a scalar.
std::vector<std::string> RandomJson::change(Value& value, const std::string& path) {
  const bool is_object = value.kind == Kind::object;
  if (!value.children.empty() && below(4) != 0) {
    const std::size_t at = below(value.children.size());
    return change(value.children[at],
                  is_object ? path + "." + value.names[at] : path + "[" + std::to_string(at) + "]");
  }
  if (is_object) {
    value.names.emplace_back("added");
    value.children.push_back(Value{Kind::null, "null", {}, {}});
    return {"extra " + path + ".added"};
  }
  if (value.kind == Kind::array) {
    value.children.push_back(Value{Kind::string, "added", {}, {}});
    return {"length " + path,
            "extra " + path + "[" + std::to_string(value.children.size() - 1) + "]"};
  }
  if (value.kind == Kind::number && below(2) == 0) {
    value.text.back() = value.text.back() == '9' ? '8' : static_cast<char>(value.text.back() + 1);
    return {"value " + path};
  }
  if (value.kind == Kind::string && below(2) == 0) {
    value.text += "!";
    return {"value " + path};
  }
  if (value.kind == Kind::boolean) {
    value.text = value.text == "true" ? "false" : "true";
    return {"value " + path};
  }
  value = value.kind == Kind::null ? Value{Kind::string, "null", {}, {}}
                                   : Value{Kind::null, "null", {}, {}};
  return {"type " + path};
}

RandomJson::Change RandomJson::changed() {
  const Value before = root_;
  Change made;
  made.found = change(root_, "$");
  made.document = written();
  root_ = before;
  return made;
}

}  // namespace segue::test
