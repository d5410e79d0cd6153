#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/compare/report_view.hpp"
#include "cli/compare/rule_options.hpp"
#include "cli/exchange_reader.hpp"
#include "cli/filters.hpp"
#include "cli/reading_options.hpp"
#include "compare/comparing.hpp"
#include "compare/gate.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

class ComparisonStore;
class ExchangeFeed;

// `seguectl compare [SOURCE]`: what the shadows of a source answered against what their primaries
// did: a report, or with --follow also each difference as it comes, or with --pair one pair in
// full, or with --suggest the rules that would silence what is noise.
class CompareCommand {
 public:
  explicit CompareCommand(CLI::App& program);
  ~CompareCommand();
  bool chosen() const;
  // The exit code: with gates 1 when one does not hold; without, 1 when there are findings. Throws
  // StartupError, also when there is nothing to compare; RemoteError; Interrupted, but with --follow,
  // whose report comes then.
  int run();

 private:
  void add_output_options();
  compare::ComparingSettings settings() const;
  std::vector<compare::Gate> gates() const;
  ReadRange range() const;
  void store_in(const std::string& archive);
  template <class Write>
  void store_by(const Write& write);
  static v1::Exchange* next_of(ExchangeFeed& feed);
  void read_all(ExchangeFeed& feed, compare::Comparing& comparing, const std::string& name);
  void follow(ExchangeFeed& feed, compare::Comparing& comparing);
  int conclude(const compare::Report& report, const std::vector<compare::Gate>& gates,
               const std::string& source) const;
  int suggest(const compare::Report& report, const compare::ComparingSettings& settings) const;
  void print(const ReportView& view) const;
  int show_pair(const std::vector<Source>& sources, const compare::ComparingSettings& settings);

  CLI::App* command_;
  ReadingOptions reading_;
  Filters filters_;
  RuleOptions rules_;
  ReportForm form_ = ReportForm::text;
  std::vector<std::string> gates_;
  std::optional<std::string> shadow_topic_;
  std::optional<std::string> pair_;
  std::optional<std::string> stored_in_;
  std::unique_ptr<ComparisonStore> store_;  // with stored_in_
  bool unstored_ = false;                   // of what was compared, some
  bool noise_ = false;
  bool follow_ = false;
  bool suggest_ = false;
};

}  // namespace segue::cli
