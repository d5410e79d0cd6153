#pragma once

#include <string>

#include "cli/reading_options.hpp"
#include "recorder/exchange.pb.h"

namespace segue::cli {

// Prints exchanges to standard output, one a line, in aligned columns or as JSON. Columns are of
// fixed width, since what follows is not known yet; a long target is cut in its middle.
class Listing {
 public:
  Listing(OutputForm form, const Paint& paint) : form_(form), paint_(paint) {}

  // The first line of text output is preceded by the columns' names.
  void print(const v1::Exchange& exchange);
  // What was printed is on its way.
  void flush();

 private:
  std::string text_line(const v1::Exchange& exchange) const;

  const OutputForm form_;
  const Paint paint_;
  bool headed_ = false;
};

// Enough of an id to find its exchange with `show`: time and order, 18 characters.
std::string short_id(const v1::Exchange& exchange);
// "850 us", "1.4 ms", "2.31 s"; "-" where no response came.
std::string latency_text(const v1::Exchange& exchange);

}  // namespace segue::cli
