#include "config/load.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "config/documents.hpp"
#include "config/files.hpp"
#include "config/keys.hpp"
#include "config/suggestion.hpp"
#include "config/units.hpp"
#include "routing/route_tests.hpp"

namespace segue::config {
namespace {

namespace fs = std::filesystem;
using gateway::ListenerKind;
using yaml::Entry;
using yaml::Kind;
using yaml::Node;

// One load, from text to settings. Each step reads what the steps before it left in settings_.
class Loader {
 public:
  explicit Loader(fs::path folder) : report_(sources_), context_{report_, std::move(folder)} {}

  LoadResult load(Source source, Tests tests);
  LoadResult fail(const std::string& path, const Error& error);

 private:
  void read_routes();
  void read_route(const Entry& entry, const Entry* defaults);
  void read_tests();
  void check_expectation(const Place& test);
  void check_listeners();
  void check_backend_names(const RouteSettings& route);
  void check_backend_name(const RouteSettings& route, const std::string& name,
                          std::string_view key);
  void check_split_roles(const RouteSettings& route);
  void check_precedences(const RouteSettings& route);
  void check_redaction();
  void check_segment(const RouteSettings& route);
  void check_durability(const RouteSettings& route);
  void compile(LoadResult& result);
  void run_tests(const routing::RouteTable& table);

  Position place_of(const std::string& key) const { return locate(root_, key); }
  Position place_of(const RouteSettings& route, std::string_view key) const {
    return locate(root_, fmt::format("routes.{}.{}", route.rule.name, key));
  }

  Sources sources_;
  Report report_;
  Context context_;
  Node root_;
  Settings settings_;
};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

LoadResult Loader::fail(const std::string& path, const Error& error) {
  sources_.emplace_back(path, "");
  report_.add(codes::kUnreadableFile, {.file = 0},
              fmt::format("cannot read the file: {}", error.code.message()));
  LoadResult result;
  result.errors = report_.take();
  return result;
}

LoadResult Loader::load(Source source, Tests tests) {
  sources_.push_back(std::move(source));
  root_ = read_documents(sources_, context_);
  LoadResult result;
  if (root_.kind != Kind::broken) {
    settings_.instance = host_name();
    settings_.journal.directory =
        (context_.folder / settings_.journal.directory).lexically_normal();
    settings_.archive.to.folder =
        (context_.folder / settings_.archive.to.folder).lexically_normal();
    const bool is_sound = report_.count() == 0;  // nothing is left out of the tree
    read_map(Place{root_, "", {.file = 0}}, root_keys(), context_, settings_);
    finish_consumers(settings_);
    finish_archive(root_, context_, settings_);
    check_listeners();
    const std::size_t errors = report_.count();
    read_routes();
    if (is_sound && report_.count() == errors) compile(result);
    const std::size_t errors_before_tests = report_.count();
    read_tests();
    const bool can_test = result.table != nullptr && report_.count() == errors_before_tests;
    if (tests == Tests::run && can_test) run_tests(*result.table);
    check_redaction();
    check_redaction_keys(settings_, root_, context_);
  }
  result.errors = report_.take();
  if (result.errors.empty())
    result.settings = std::move(settings_);
  else
    result.table.reset();
  return result;
}

void Loader::read_routes() {
  const Place file{root_, "", {.file = 0}};
  const Entry* defaults = root_.find("defaults");
  if (defaults != nullptr) {
    RouteSettings unused;
    read_map(file.child(*defaults), defaults_keys(), context_, unused);
  }
  const Entry* routes = root_.find("routes");
  if (routes == nullptr || !is_map(file.child(*routes), context_)) return;
  for (const Entry& entry : routes->value.entries)
    if (check_name(entry, "route", context_)) read_route(entry, defaults);
  std::sort(settings_.backends.begin(), settings_.backends.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::sort(settings_.routes.begin(), settings_.routes.end(),
            [](const auto& a, const auto& b) { return a.rule.name < b.rule.name; });
  for (const RouteSettings& route : settings_.routes) {
    check_backend_names(route);
    check_split_roles(route);
    check_precedences(route);
    check_segment(route);
    check_durability(route);
  }
}

// A shadow is never inherited: what `defaults` says of shadows is for routes that have one. What it
// says of how backends are asked is not for routes that the gateway answers itself.
Node with_defaults(const Node& route, const Entry* defaults) {
  if (defaults == nullptr || defaults->value.kind != Kind::map) return route;
  Node base = defaults->value;
  if (is_answered(route))
    std::erase_if(base.entries, [](const Entry& entry) {
      return entry.key != "record" && entry.key != "response_headers";
    });
  if (route.find("shadow") == nullptr)
    std::erase_if(base.entries, [](const Entry& entry) { return entry.key == "shadow"; });
  return inherit(base, route);
}

void Loader::read_route(const Entry& entry, const Entry* defaults) {
  RouteSettings route;
  route.rule.name = entry.key;
  route.file = sources_[entry.key_at.file].path();
  route.line = entry.key_at.line;
  const Node effective = with_defaults(entry.value, defaults);
  const Place place{effective, fmt::format("routes.{}", entry.key), entry.key_at};
  read_map(place, route_keys(), context_, route);
  finish_route(place, Place{entry.value, place.name, entry.key_at}, context_, route);
  settings_.routes.push_back(std::move(route));
}

void Loader::read_tests() {
  const Entry* tests = root_.find("tests");
  if (tests == nullptr) return;
  const Place place = Place{root_, "", {.file = 0}}.child(*tests);
  if (!is_sequence(place, context_, "a list")) return;
  static const Keys<routing::TestCase> keys = test_keys();
  for (std::size_t i = 0; i < tests->value.items.size(); ++i) {
    const Place item = place.item(i);
    TestSettings test;
    test.test.host = "localhost";
    test.file = sources_[item.at.file].path();
    test.line = item.at.line;
    read_map(item, keys, context_, test.test);
    check_expectation(item);
    settings_.tests.push_back(std::move(test));
  }
}

// A case that expects nothing would pass for ever.
void Loader::check_expectation(const Place& test) {
  const auto is_input = [](const Entry& entry) {
    return entry.key == "request" || entry.key == "headers" || entry.key == "key";
  };
  if (test.node.kind == Kind::map &&
      std::all_of(test.node.entries.begin(), test.node.entries.end(), is_input))
    report_.add(codes::kMissingKey, test.at, fmt::format("{} expects nothing", test.name),
                "route: NAME");
}

void Loader::check_listeners() {
  const Entry* listeners = root_.find("listeners");
  if (listeners == nullptr || listeners->value.kind != Kind::map) return;
  const bool has_public =
      std::any_of(settings_.listeners.begin(), settings_.listeners.end(),
                  [](const auto& listener) { return listener.kind == ListenerKind::public_; });
  if (!has_public)
    report_.add(codes::kListeners, listeners->key_at, "no listener is public",
                "public: { address: \"0.0.0.0:8080\" }");
  std::set<std::pair<std::string, std::uint16_t>> addresses;
  for (const gateway::ListenerSettings& listener : settings_.listeners)
    if ((listener.port != 0 || !listener.socket_path.empty()) &&
        !addresses.emplace(listener.host + listener.socket_path, listener.port).second)
      report_.add(codes::kListeners, place_of("listeners." + listener.name + ".address"),
                  fmt::format("another listener has the address of '{}'", listener.name));
}

void Loader::check_backend_names(const RouteSettings& route) {
  check_backend_name(route, route.rule.to, "to");
  check_backend_name(route, route.rule.fallback, "fallback");
  const auto& shadow = route.rule.shadow;
  if (shadow && shadow->to != routing::kOtherArm) check_backend_name(route, shadow->to, "shadow.to");
}

// `name` is empty where the route says none.
void Loader::check_backend_name(const RouteSettings& route, const std::string& name,
                                std::string_view key) {
  if (name.empty()) return;
  std::vector<std::string_view> names;
  for (const gateway::BackendSettings& backend : settings_.backends) names.push_back(backend.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const Entry* backends = root_.find("backends");
  if (backends != nullptr && backends->value.find(name) != nullptr)
    return;  // has errors of its own
  report_.add(codes::kUnknownName, place_of(route, key),
              fmt::format("no backend is called '{}'", name), did_you_mean(name, names));
}

void Loader::check_split_roles(const RouteSettings& route) {
  if (!route.rule.split) return;
  for (std::string_view role : {"legacy", "new"}) {
    const auto count = std::count_if(settings_.backends.begin(), settings_.backends.end(),
                                     [&](const auto& backend) { return backend.role == role; });
    if (count == 1) continue;
    report_.add(codes::kRoles, place_of(route, "split"),
                fmt::format("a split needs one backend with the role '{}'; there {}", role,
                            count == 0 ? "is none" : fmt::format("are {}", count)),
                count == 0 ? fmt::format("role: {}", role) : "");
  }
}

void Loader::check_precedences(const RouteSettings& route) {
  std::vector<std::string_view> names;
  for (const RouteSettings& other : settings_.routes) names.push_back(other.rule.name);
  for (std::size_t i = 0; i < route.rule.before.size(); ++i) {
    const std::string& other = route.rule.before[i];
    if (std::find(names.begin(), names.end(), other) != names.end()) continue;
    report_.add(codes::kUnknownName, place_of(route, fmt::format("before[{}]", i)),
                fmt::format("no route is called '{}'", other), did_you_mean(other, names));
  }
}

// The journal keeps an exchange within half a segment: the heads and both bodies.
void Loader::check_segment(const RouteSettings& route) {
  if (!route.record.enabled || !route.record.bodies) return;
  const std::uint64_t heads = 2 * settings_.limits.head_bytes;
  const std::uint64_t room = settings_.journal.segment_bytes / 2;
  if (2 * route.record.body_max_bytes + heads <= room) return;
  report_.add(codes::kBodiesExceedSegment, place_of(route, "record.bodies.max"),
              fmt::format("two bodies of {} and their heads do not fit into half a segment ({})",
                          show_size(route.record.body_max_bytes), show_size(room)),
              "make recorder.journal.segment larger");
}

void Loader::check_durability(const RouteSettings& route) {
  const bool waits = route.record.enabled && route.record.durability == recorder::Durability::kafka;
  if (!waits || settings_.kafka) return;
  report_.add(codes::kMissingKey, place_of(route, "record.durability"),
              "durability 'kafka' needs recorder.kafka", "recorder: { kafka: { brokers: [...] } }");
}

// Whoever records bodies must have thought of what is in them: `redact: {}` is an answer.
void Loader::check_redaction() {
  const Entry* defaults = root_.find("defaults");
  const Entry* record = defaults != nullptr ? defaults->value.find("record") : nullptr;
  if (record != nullptr && record->value.find("redact") != nullptr) return;
  const Entry* routes = root_.find("routes");
  std::vector<std::string_view> open;
  for (const RouteSettings& route : settings_.routes) {
    if (!route.record.enabled || !route.record.bodies) continue;
    const Entry* own = routes->value.find(route.rule.name);
    const Entry* own_record = own->value.find("record");
    if (own_record == nullptr || own_record->value.find("redact") == nullptr)
      open.push_back(route.rule.name);
  }
  if (open.empty()) return;
  report_.add(codes::kNoRedact, place_of(fmt::format("routes.{}", open.front())),
              fmt::format("bodies of {} are recorded and nothing says what to redact",
                          open.size() == 1 ? fmt::format("'{}'", open.front())
                                           : fmt::format("{} routes", open.size())),
              "defaults: { record: { redact: { headers: [authorization, cookie] } } }");
}

void Loader::compile(LoadResult& result) {
  const std::vector<routing::RouteRule> rules = route_rules(settings_);
  routing::CompileResult compiled = routing::RouteTable::compile(rules, backend_rules(settings_));
  for (const routing::Problem& problem : compiled.problems)
    report_.add(problem.code, place_of(problem.key), problem.message, problem.fix);
  result.table = std::move(compiled.table);
}

void Loader::run_tests(const routing::RouteTable& table) {
  for (const routing::TestResult& test : routing::run_tests(table, test_cases(settings_))) {
    for (const routing::Assertion& assertion : test.assertions) {
      if (assertion.holds) continue;
      report_.add(codes::kFailedTest,
                  place_of(fmt::format("tests[{}].{}", test.index, assertion.what)),
                  fmt::format("{}: {} should be {} and is {}", test.title, assertion.what,
                              assertion.expected, assertion.got));
    }
  }
}

}  // namespace

LoadResult load(const std::string& path, Tests tests) {
  const fs::path file(path);
  Loader loader(file.parent_path());
  auto text = read_file(file, yaml::kMaxBytes);
  if (!text) return loader.fail(path, text.error());
  return loader.load(Source(path, std::move(*text)), tests);
}

LoadResult load_text(std::string text, const std::string& name, const fs::path& folder,
                     Tests tests) {
  return Loader(folder).load(Source(name, std::move(text)), tests);
}

std::vector<routing::RouteRule> route_rules(const Settings& settings) {
  std::vector<routing::RouteRule> rules;
  for (const RouteSettings& route : settings.routes) rules.push_back(route.rule);
  return rules;
}

std::vector<routing::BackendRule> backend_rules(const Settings& settings) {
  std::vector<routing::BackendRule> rules;
  for (const gateway::BackendSettings& backend : settings.backends)
    rules.push_back({backend.name, backend.role});
  return rules;
}

std::vector<routing::TestCase> test_cases(const Settings& settings) {
  std::vector<routing::TestCase> cases;
  for (const TestSettings& test : settings.tests) cases.push_back(test.test);
  return cases;
}

}  // namespace segue::config
