#include "cli/compare/compare_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "cli/compare/comparison_store.hpp"
#include "cli/compare/exchange_feed.hpp"
#include "cli/compare/live_view.hpp"
#include "cli/compare/pair_view.hpp"
#include "cli/compare/report_text.hpp"
#include "cli/compare/wording.hpp"
#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "compare/record_reading.hpp"
#include "compare/suggestion.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

using compare::Comparing;
using compare::ComparingSettings;
using compare::Gate;
using compare::Report;

// Exchanges after which --follow shows what it has, though more is there to be read.
constexpr std::uint64_t kBetweenPauses = 256;

// Why there is nothing to say, and the way out.
std::string nothing_to_compare(const Report& report, const std::string& source) {
  const std::string begin =
      fmt::format("nothing to compare: no pair of primary and shadow in {}", source);
  if (report.unpaired_primaries != 0)
    return fmt::format(
        "{}; {} sent a shadow that is not on record here: a topic of its own is named "
        "by --shadow-topic, or by -c",
        begin, number_of(report.unpaired_primaries, "primary exchange"));
  if (report.unpaired_others != 0)
    return fmt::format(
        "{}; {} without their primary, which the filters leave out or retention took", begin,
        number_of(report.unpaired_others, "shadow or control exchange"));
  if (report.not_shadowed.empty())
    return begin + "; shadow a route (`shadow:`, docs/shadowing.md), or widen the filters";
  std::string reasons;
  for (const auto& [reason, count] : report.not_shadowed)
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", reason, count);
  return fmt::format("{}; what was not shadowed, and why: {}", begin, reasons);
}

}  // namespace

CompareCommand::CompareCommand(CLI::App& program)
    : command_(program.add_subcommand(
          "compare", "What shadows answered against what their primaries did, beyond noise")) {
  reading_.add_to(*command_);
  command_
      ->add_option("--shadow-topic", shadow_topic_,
                   "Where shadows are recorded; default: recorder.kafka.topics.shadow")
      ->type_name("TOPIC")
      ->group("Kafka");
  filters_.add_to(*command_, Filters::Kinds::fixed);
  rules_.add_to(*command_);
  add_output_options();
}

void CompareCommand::add_output_options() {
  static const std::map<std::string, ReportForm> kForms{{"text", ReportForm::text},
                                                        {"json", ReportForm::json},
                                                        {"junit", ReportForm::junit},
                                                        {"html", ReportForm::html}};
  command_->add_option("-o,--output", form_, "text, json, junit, or html: one file for a browser")
      ->transform(
          CLI::CheckedTransformer(kForms, CLI::ignore_case).description("{text,json,junit,html}"))
      ->type_name("FORM")
      ->envname("SEGUE_OUTPUT");
  auto* const gate =
      command_
          ->add_option("--gate", gates_,
                       "Decides the exit code, for each route: match>=99.9%, p99<=1.2x (p50, p95), "
                       "findings<=0, incomparable<=0.1%, pairs>=1000; may be given again")
          ->allow_extra_args(false)
          ->type_name("CONDITION");
  command_
      ->add_option("--store", stored_in_,
                   "Keep what was found in an archive, archive:DIR or archive:s3://BUCKET/PREFIX, "
                   "for `query`: a row for each differing field of a pair")
      ->type_name("ARCHIVE");
  command_->add_flag("--noise", noise_, "Say as much of noise as of findings");
  auto* const follow =
      command_->add_flag("--follow", follow_,
                         "Go on with what comes: a line for each difference, the report at Ctrl-C");
  auto* const suggest = command_->add_flag(
      "--suggest", suggest_, "Write the compare: rules that would silence the noise, for review");
  command_->add_option("--pair", pair_, "One pair in full, by the id of one of its exchanges")
      ->type_name("ID")
      ->excludes(follow)
      ->excludes(suggest)
      ->excludes(gate);
  suggest->excludes(follow)->excludes(gate);
}

CompareCommand::~CompareCommand() = default;

bool CompareCommand::chosen() const {
  return command_->parsed();
}

ComparingSettings CompareCommand::settings() const {
  ComparingSettings settings;
  settings.otherwise = rules_.on_top_of({});
  const auto configured = reading_.kafka().configuration();
  if (!configured) return settings;
  for (const config::RouteSettings& route : configured->routes) {
    settings.routes.emplace(route.rule.name, rules_.on_top_of(route.compare));
    if (route.shadow && route.shadow->share != 0 && filters_.takes_route(route.rule.name))
      settings.expected.insert(route.rule.name);
  }
  return settings;
}

std::vector<Gate> CompareCommand::gates() const {
  std::vector<Gate> gates;
  for (const std::string& text : gates_) {
    Gate::Parsed parsed = Gate::parse(text);
    if (!parsed.gate) throw StartupError(parsed.problem);
    gates.push_back(std::move(*parsed.gate));
  }
  return gates;
}

int CompareCommand::run() {
  const std::vector<Gate> gates = this->gates();
  const ComparingSettings settings = this->settings();
  const Source source = reading_.source();
  const std::vector<Source> sources = with_shadow_topic(source, shadow_topic_);
  if (pair_) return show_pair(sources, settings);
  filters_.prepare(source.journal, source.keys);
  Comparing::Made made = Comparing::make(settings);
  if (!made.comparing) throw StartupError(made.problem);
  if (follow_ || stored_in_) listen_for_interrupts();
  if (stored_in_) or_interrupted([this] { store_in(*stored_in_); });
  if (store_)
    made.comparing->on_compared(
        [this](const Comparing::Compared& compared) { store_->add(compared); });
  ExchangeFeed feed(sources, range(), filters_);
  read_all(feed, *made.comparing, source.name());
  if (follow_) follow(feed, *made.comparing);
  store_by([this] {
    store_->write();
    fmt::print(stderr, "seguectl: {}\n", store_->told());
  });
  feed.tell_damage();
  reading_.tell_closed();
  const Report report = made.comparing->report();
  if (report.pairs() == 0) throw StartupError(nothing_to_compare(report, source.name()));
  const int code = suggest_ ? suggest(report, settings) : conclude(report, gates, source.name());
  return unstored_ ? kInterrupted : code;
}

// Whose an exchange is, and how many values stay closed, only the whole record says.
ReadRange CompareCommand::range() const {
  ReadRange range;
  range.since = filters_.since();
  if (follow_) range.until = ReadRange::Until::follow;
  if (!filters_.asks_for_accounts() && !reading_.wants_unsealing())
    range.parse = compare::parse_for_comparing;
  return range;
}

void CompareCommand::store_in(const std::string& archive) {
  const Source source = resolve_source(archive, reading_.kafka(), SourceKinds::archive);
  store_ = std::make_unique<ComparisonStore>(*source.archive);
}

// Who was told to end does not wait for a store that is away, and reports all the same.
template <class Write>
void CompareCommand::store_by(const Write& write) {
  if (!store_ || unstored_) return;
  try {
    write();
  } catch (const RemoteError& error) {
    if (!interrupted()) throw;
    fmt::print(stderr, "seguectl: {}; what was compared last is not stored\n", error.what());
    unstored_ = true;
  }
}

// Null: nothing more for now, or it is told to end.
v1::Exchange* CompareCommand::next_of(ExchangeFeed& feed) {
  if (interrupted()) return nullptr;
  try {
    return feed.next();
  } catch (const Interrupted&) {
    return nullptr;
  }
}

void CompareCommand::read_all(ExchangeFeed& feed, Comparing& comparing, const std::string& name) {
  Progress progress(fmt::format("comparing {}", name));
  while (v1::Exchange* const exchange = next_of(feed)) {
    feed.show(progress);
    reading_.unseal(*exchange);
    comparing.add(std::move(*exchange));
  }
  if (!interrupted()) return;
  if (!follow_) throw Interrupted();
  fmt::print(stderr, "seguectl: interrupted; the report is of what was read until then\n");
}

void CompareCommand::follow(ExchangeFeed& feed, Comparing& comparing) {
  if (interrupted()) return;
  LiveView view(form_, reading_.paint());
  comparing.on_compared([&view, this](const Comparing::Compared& compared) {
    view.tell(compared);
    if (store_) store_->add(compared);
  });
  view.begin(comparing);
  std::uint64_t taken = 0;
  for (;;) {
    while (v1::Exchange* const exchange = next_of(feed)) {
      reading_.unseal(*exchange);
      comparing.add(std::move(*exchange));
      if (++taken % kBetweenPauses == 0) view.pause(comparing);
    }
    feed.tell_damage();
    view.pause(comparing);
    store_by([this] { store_->write_when_due(); });
    if (wait_a_while() != Woken::time) break;
  }
  comparing.on_compared({});
}

int CompareCommand::suggest(const Report& report, const ComparingSettings& settings) const {
  std::map<std::string, compare::RouteRules> rules = settings.routes;
  for (const compare::RouteReport& route : report.routes)
    rules.emplace(route.route, settings.otherwise);
  const std::string yaml = compare::suggest_rules(report, rules);
  if (yaml.empty()) fmt::print(stderr, "seguectl: nothing to suggest: no field is noise\n");
  write_out(yaml);
  return kClean;
}

int CompareCommand::conclude(const Report& report, const std::vector<Gate>& gates,
                             const std::string& source) const {
  const auto& kafka = reading_.kafka();
  ReportView view{
      report, source, kafka.configuration() ? kafka.configuration_path() : std::string{}, {}};
  bool all_hold = true;
  for (const Gate& gate : gates) {
    view.gates.push_back({gate.text(), gate.failures(report)});
    all_hold = all_hold && view.gates.back().holds();
  }
  print(view);
  const bool clean = gates.empty() ? report.findings() == 0 : all_hold;
  return clean ? kClean : kFound;
}

void CompareCommand::print(const ReportView& view) const {
  switch (form_) {
    case ReportForm::json:
      return write_out(report_json(view));
    case ReportForm::junit:
      return write_out(report_junit(view));
    case ReportForm::html:
      return write_out(report_page(view));
    case ReportForm::text:
      return write_out(
          report_text(view, reading_.paint(), noise_ ? NoiseDetail::full : NoiseDetail::line));
  }
}

int CompareCommand::show_pair(const std::vector<Source>& sources,
                              const ComparingSettings& settings) {
  if (form_ == ReportForm::junit || form_ == ReportForm::html)
    throw StartupError("--pair is printed as text or json");
  PairSearch search(sources, *pair_);
  const std::vector<PairExchanges> found = search.found();
  if (found.empty()) {
    fmt::print(stderr, "seguectl: no pair of {} in {}\n", *pair_, sources.front().name());
    return kFound;
  }
  if (found.size() > 1) {
    fmt::print(stderr, "seguectl: exchanges of {} begin with {}:\n{}",
               number_of(found.size(), "pair"), *pair_, candidates_text(found));
    return kFailed;
  }
  PairExchanges pair = found.front();
  const auto route = settings.routes.find(pair.primary.decision().route());
  const auto made =
      compare::Comparer::make(route == settings.routes.end() ? settings.otherwise : route->second);
  if (!made.comparer) throw StartupError(made.problem);
  reading_.unseal(pair.primary);
  for (v1::Exchange& other : pair.others) reading_.unseal(other);
  const PairView view(pair, *made.comparer);
  write_out(form_ == ReportForm::json ? view.json() : view.text(reading_.paint()));
  reading_.tell_closed();
  return view.differs() ? kFound : kClean;
}

}  // namespace segue::cli
