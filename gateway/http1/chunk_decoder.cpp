#include "gateway/http1/chunk_decoder.hpp"

#include <algorithm>

#include "gateway/http1/characters.hpp"

namespace segue::gateway::http1 {
namespace {

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_control(char c) noexcept {
  return (classes_of(c) & kControl) != 0;
}

}  // namespace

void ChunkDecoder::reset() noexcept {
  *this = ChunkDecoder(trailer_limit_);
}

ChunkDecoder::Step ChunkDecoder::step(std::string_view input) noexcept {
  Step step;
  while (step.consumed < input.size() && part_ < Part::done) {
    if (part_ == Part::content) {
      step.content = input.substr(step.consumed).substr(0, remaining_);
      step.consumed += step.content.size();
      remaining_ -= step.content.size();
      if (remaining_ == 0) part_ = Part::content_cr;
      return step;
    }
    const bool of_trailers = in_trailers();
    take(input[step.consumed]);
    if (part_ == Part::damaged) break;
    ++step.consumed;
    if (!of_trailers || part_ == Part::end_lf) continue;
    const std::size_t length = step.trailer.size() + 1;
    step.trailer = input.substr(step.consumed - length, length);
  }
  if (part_ == Part::done) step.state = State::done;
  if (part_ == Part::damaged) step.state = State::damaged;
  return step;
}

void ChunkDecoder::take(char c) noexcept {
  switch (part_) {
    case Part::size:
      return take_size(c);
    case Part::size_lf:
      return end_line(c);
    case Part::content_cr:
      return expect(c, '\r', Part::content_lf, "bad_chunk_end");
    case Part::content_lf:
      digits_ = 0;
      return expect(c, '\n', Part::size, "bad_chunk_end");
    case Part::trailer_lf:
      return expect(c, '\n', Part::trailer_start, "bad_trailer");
    case Part::end_lf:
      return expect(c, '\n', Part::done, "bad_chunk_end");
    case Part::trailer_start:
    case Part::trailer_name:
    case Part::trailer_value:
      return take_trailer(c);
    default:
      return take_extension(c);
  }
}

void ChunkDecoder::take_size(char c) noexcept {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (++digits_ > kSizeDigits) return damaged("chunk_size_overflow");
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    if (remaining_ >> 63) damaged("chunk_size_overflow");
    return;
  }
  if (digits_ == 0) return damaged("bad_chunk_size");
  if (c == '\r') {
    part_ = Part::size_lf;
  } else if (c == ';') {
    part_ = Part::extension_name;
    token_empty_ = true;
    if (++extension_bytes_ > kExtensionBytes) damaged("chunk_extensions_too_long");
  } else {
    damaged("bad_chunk_size");
  }
}

void ChunkDecoder::take_extension(char c) noexcept {
  if (++extension_bytes_ > kExtensionBytes) return damaged("chunk_extensions_too_long");
  if (part_ == Part::quoted_escape || part_ == Part::quoted_value) {
    if (is_control(c)) return damaged("bad_chunk_extension");
    if (part_ == Part::quoted_escape) {
      part_ = Part::quoted_value;
    } else if (c == '"') {
      part_ = Part::after_quoted;
    } else if (c == '\\') {
      part_ = Part::quoted_escape;
    }
    return;
  }
  if (part_ != Part::after_quoted && is_token(c)) {
    if (part_ == Part::extension_value) part_ = Part::token_value;
    token_empty_ = false;
    return;
  }
  if (part_ == Part::extension_value && c == '"') {
    part_ = Part::quoted_value;
    return;
  }
  const bool complete = part_ == Part::after_quoted || part_ == Part::token_value ||
                        (part_ == Part::extension_name && !token_empty_);
  if (complete && c == '\r') {
    part_ = Part::size_lf;
  } else if (complete && c == ';') {
    part_ = Part::extension_name;
    token_empty_ = true;
  } else if (complete && c == '=' && part_ == Part::extension_name) {
    part_ = Part::extension_value;
  } else {
    damaged("bad_chunk_extension");
  }
}

void ChunkDecoder::take_trailer(char c) noexcept {
  if (part_ == Part::trailer_start && c == '\r') {
    part_ = Part::end_lf;
    return;
  }
  if (++trailer_bytes_ > trailer_limit_) return damaged("trailers_too_long");
  if (part_ == Part::trailer_value) {
    if (c == '\r') {
      part_ = Part::trailer_lf;
    } else if (is_control(c)) {
      damaged("bad_trailer");
    }
  } else if (is_token(c)) {
    if (part_ == Part::trailer_start) ++trailers_;
    part_ = Part::trailer_name;
  } else if (c == ':' && part_ == Part::trailer_name) {
    part_ = Part::trailer_value;
  } else {
    damaged("bad_trailer");
  }
}

void ChunkDecoder::end_line(char c) noexcept {
  expect(c, '\n', remaining_ == 0 ? Part::trailer_start : Part::content, "bad_chunk_size");
}

void ChunkDecoder::expect(char c, char wanted, Part next, const char* damage) noexcept {
  if (c != wanted) return damaged(damage);
  part_ = next;
}

void ChunkDecoder::damaged(const char* why) noexcept {
  damage_ = why;
  part_ = Part::damaged;
}

}  // namespace segue::gateway::http1
