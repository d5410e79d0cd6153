#include "warehouse/archive/restored_mark.hpp"

#include <fmt/format.h>

#include <charconv>

namespace segue::warehouse {
namespace {

// What stands behind the last slash of `text`, which is taken off it.
std::string_view take_last(std::string_view& text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return {};
  const std::string_view last = text.substr(slash + 1);
  text = text.substr(0, slash);
  return last;
}

}  // namespace

std::string text_of(const RestoredMark& mark) {
  return fmt::format("{}/{}/{}/{}", mark.archive, mark.chain.topic, mark.chain.partition,
                     mark.offset);
}

std::optional<RestoredMark> parse_restored_mark(std::string_view text) {
  RestoredMark mark;
  const std::string_view offset = take_last(text);
  const auto [end, error] =
      std::from_chars(offset.data(), offset.data() + offset.size(), mark.offset);
  if (error != std::errc() || end != offset.data() + offset.size()) return std::nullopt;
  mark.chain.partition = take_last(text);
  mark.chain.topic = take_last(text);
  mark.archive = text;
  const bool whole = !mark.archive.empty() && !mark.chain.topic.empty() &&
                     !mark.chain.partition.empty() &&
                     mark.archive.find('/') == std::string::npos;
  return whole ? std::optional(std::move(mark)) : std::nullopt;
}

}  // namespace segue::warehouse
