#pragma once

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

  bool any() const noexcept { return masks_ || encrypts_; }
  bool covers(std::string_view text) const noexcept {
    return any() && ((masks_ && holds_mask(text)) || (encrypts_ && holds_sealed(text)));
  }

 private:
  void add(v1::Redaction::Mode mode) noexcept;
  static bool holds_mask(std::string_view text) noexcept;
  static bool holds_sealed(std::string_view text) noexcept;

  bool masks_ = false;
  bool encrypts_ = false;
};

}  // namespace segue::compare
