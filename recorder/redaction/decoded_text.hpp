#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segue::recorder {

enum class Plus : std::uint8_t { literal, space };

// Text with an encoding undone, and where each of its characters stood in the text as it was, so
// that what is found can be replaced there. Decoding can be repeated: the offsets stay those of the
// first text. One thread; memory is kept up to kKeptBytes.
class DecodedText {
 public:
  static constexpr std::size_t kKeptBytes = 1 << 20;

  void assign(std::string_view raw);

  // %XX (RFC 3986, 2.1); what is no escape stays. False when there was nothing to undo.
  bool undo_percent(Plus plus);
  // The escapes of a JSON string (RFC 8259, 7), to UTF-8; `raw` was valid, without its quotes.
  void undo_json();

  std::string_view text() const noexcept { return text_; }
  // Where the character at `at` began; the end of the text for text().size().
  std::size_t origin(std::size_t at) const noexcept { return origin_[at]; }

  // Gives back what is over kKeptBytes.
  void trim();

 private:
  void keep(std::size_t& to, char c, std::size_t from);

  std::string text_;
  std::vector<std::uint32_t> origin_;
};

// Whether `text` holds an escape that undo_percent() would undo.
bool has_percent_escape(std::string_view text) noexcept;

// `text` decoded once.
std::string percent_decoded(std::string_view text, Plus plus);

}  // namespace segue::recorder
