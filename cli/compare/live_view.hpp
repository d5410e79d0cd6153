#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/colour.hpp"
#include "cli/compare/report_view.hpp"
#include "compare/comparing.hpp"

namespace segue::cli {

// What `compare --follow` shows while it goes on: a line for each pair that differs beyond what is
// known to be noise by then, on standard output as text or JSON (on standard error for the forms
// that are one document), and now and then on standard error how it stands. One thread.
class LiveView {
 public:
  LiveView(ReportForm form, const Paint& paint) : form_(form), paint_(paint) {}

  // What was there before.
  void begin(const compare::Comparing& comparing) { stand(comparing); }
  void tell(const compare::Comparing::Compared& compared);
  // What was written is on its way, and now and then how it stands.
  void pause(const compare::Comparing& comparing);

 private:
  void stand(const compare::Comparing& comparing);

  const ReportForm form_;
  const Paint paint_;
  std::uint64_t pairs_told_ = 0;
  std::chrono::steady_clock::time_point told_at_{};
};

// One difference, for a person or as a JSON object, with a line feed.
std::string live_text(const compare::Comparing::Compared& compared, const Paint& paint);
std::string live_json(const compare::Comparing::Compared& compared);

}  // namespace segue::cli
