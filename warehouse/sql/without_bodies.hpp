#pragma once

#include <array>
#include <string>
#include <string_view>

namespace segue::warehouse {

// Takes the content of bodies out of recorded exchanges, octet by octet: what it does not know stays
// as it is. Reused: it keeps its memory. One thread.
class WithoutBodies {
 public:
  // `payload`, a protobuf segue.v1.Exchange, without the content of its two bodies. Valid until the
  // next call. What is no protobuf is given back as it is.
  std::string_view operator()(std::string_view payload);

 private:
  std::array<std::string, 3> levels_;  // exchange, message, body
};

}  // namespace segue::warehouse
