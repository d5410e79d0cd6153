#pragma once

#include <cstdint>
#include <string_view>

#include "recorder/exchange.pb.h"

namespace segue::compare {

// What redaction may have left in one part of a response in place of values (docs/redaction.md):
// values that it masked or encrypted say nothing about whether they were equal. Hashes do.
class HiddenValues {
 public:
  // Of the response of `exchange`: in its header fields, or in its body.
  static HiddenValues in_fields(const v1::Exchange& exchange);
  static HiddenValues in_body(const v1::Exchange& exchange);

  bool any() const noexcept { return (masks_ | encrypts_) != 0; }
  bool covers(std::string_view text) const noexcept {
    return any() && (holds_mask(text) || holds_sealed(text));
  }

 private:
  // Where a rule puts what stands in for a value: it is the whole text, the value of a parameter
  // within ("pin=***"), or anything within.
  enum Where : std::uint8_t { kWhole = 1, kParameter = 2, kAnywhere = 4 };

  void add(v1::Redaction::Mode mode, Where where) noexcept;
  bool holds_mask(std::string_view text) const noexcept;
  bool holds_sealed(std::string_view text) const noexcept;

  std::uint8_t masks_ = 0;  // of Where
  std::uint8_t encrypts_ = 0;
};

}  // namespace segue::compare
