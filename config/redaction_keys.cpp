#include <algorithm>
#include <utility>

#include "config/documents.hpp"
#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "recorder/redaction/header_rules.hpp"
#include "recorder/redaction/patterns.hpp"

namespace segue::config {
namespace {

using recorder::PatternKind;
using recorder::PatternRedaction;
using recorder::Redaction;
using recorder::RedactionMode;
using recorder::Redactions;
using recorder::RecordSettings;
using routing::KeySource;

constexpr std::size_t kMaxRedactions = 256;  // of one list of one route
constexpr std::size_t kMaxKeys = 64;

Choice<RedactionMode> redaction_modes() {
  return {{{"mask", RedactionMode::mask},
           {"drop", RedactionMode::drop},
           {"hash", RedactionMode::hash},
           {"encrypt", RedactionMode::encrypt}}};
}

// NAME, or { name, mode }; `Name` says what a name may be.
template <class Name>
struct Entry {
  using Value = Redaction;
  std::optional<Redaction> read(const Place& place, Context& context) const {
    Redaction redaction;
    if (place.node.kind == yaml::Kind::map) {
      static const Keys<Redaction> keys{
          required(key<Redaction>("name", &Redaction::name, Name{}, "")),
          key<Redaction>("mode", &Redaction::mode, redaction_modes(), "")};
      read_map(place, keys, context, redaction);
    } else if (auto name = Name{}.read(place, context)) {
      redaction.name = std::move(*name);
    }
    if (redaction.name.empty()) return std::nullopt;
    return redaction;
  }
  std::string type() const { return "NAME or { name, mode: mask, drop, hash or encrypt }"; }
  std::string show(const Redaction& value) const { return value.name; }
};

std::optional<std::string> read_regex(const Place& place, Context& context) {
  auto text = read_text(place, context, "a regular expression");
  if (!text) return std::nullopt;
  const auto problem = recorder::check_regex(*text);
  if (!problem) return text;
  context.report.add(codes::kBadValue, place.node.at,
                     fmt::format("{} cannot be used: {}", place.name, *problem));
  return std::nullopt;
}

bool choose_kind(const std::string& name, PatternRedaction& pattern) {
  if (name != "card" && name != "email") return false;
  pattern.kind = name == "card" ? PatternKind::card : PatternKind::email;
  pattern.name = name;
  return true;
}

// card, email, { name: card, mode } or { regex, name, mode }.
struct PatternEntry {
  using Value = PatternRedaction;
  static constexpr std::string_view kExpected = "card, email or { regex: ... }";

  std::optional<PatternRedaction> read(const Place& place, Context& context) const {
    PatternRedaction pattern;
    if (place.node.kind != yaml::Kind::map) {
      const auto text = read_text(place, context, kExpected);
      if (!text) return std::nullopt;
      if (choose_kind(*text, pattern)) return pattern;
      refuse_value(place, context, kExpected);
      return std::nullopt;
    }
    static const Keys<PatternRedaction> keys{
        key<PatternRedaction>("name", &PatternRedaction::name, Text{"a name"}, ""),
        special_key<PatternRedaction>("regex", "", "", "",
                                      [](const Place& regex, Context& inner,
                                         PatternRedaction& into) {
                                        into.kind = PatternKind::regex;
                                        if (auto text = read_regex(regex, inner))
                                          into.regex = std::move(*text);
                                      }),
        key<PatternRedaction>("mode", &PatternRedaction::mode, redaction_modes(), "")};
    read_map(place, keys, context, pattern);
    if (place.node.find("regex") != nullptr) {
      if (pattern.regex.empty()) return std::nullopt;
      if (pattern.name.empty()) pattern.name = pattern.regex;
      return pattern;
    }
    if (choose_kind(pattern.name, pattern)) return pattern;
    refuse_type(place, context, kExpected);
    return std::nullopt;
  }
  std::string type() const { return "card, email or { regex, name, mode }"; }
  std::string show(const PatternRedaction& value) const { return value.name; }
};

template <class Name>
Key<RouteSettings> list_key(const char* name, std::vector<Redaction> Redactions::* list,
                            const char* about) {
  return key<RouteSettings>(
      name, [list](RouteSettings& r) -> auto& { return r.record.redact.*list; },
      List<Entry<Name>>{{}, kMaxRedactions}, about);
}

// Of what is listed twice the stricter mode stays.
template <class Value, class Same>
void merge(std::vector<Value>& list, Same same) {
  std::vector<Value> merged;
  for (Value& value : list) {
    const auto known = std::find_if(merged.begin(), merged.end(),
                                    [&](const Value& other) { return same(other, value); });
    if (known == merged.end())
      merged.push_back(std::move(value));
    else
      known->mode = std::max(known->mode, value.mode);
  }
  list = std::move(merged);
}

bool lists_header(const RecordSettings& record, std::string_view name) {
  return std::any_of(
      record.redact.headers.begin(), record.redact.headers.end(),
      [&](const Redaction& redaction) { return equals_ignoring_case(redaction.name, name); });
}

bool lists_query(const RecordSettings& record, std::string_view name) {
  return std::any_of(record.redact.query.begin(), record.redact.query.end(),
                     [&](const Redaction& redaction) { return redaction.name == name; });
}

bool is_keyed(RedactionMode mode) {
  return mode == RedactionMode::hash || mode == RedactionMode::encrypt;
}

// The list of `redact:` that hashes or encrypts; null: none does.
const char* keyed_list(const Redactions& redact) {
  const auto keyed = [](const auto& list) {
    return std::any_of(list.begin(), list.end(),
                       [](const auto& entry) { return is_keyed(entry.mode); });
  };
  if (keyed(redact.headers)) return "headers";
  if (keyed(redact.query)) return "query";
  if (keyed(redact.json)) return "json";
  if (keyed(redact.form)) return "form";
  return keyed(redact.patterns) ? "patterns" : nullptr;
}

// Whether account ids of this route may be stored as hashes.
bool hashes_accounts(const RouteSettings& route) {
  if (!route.record.enabled || route.rule.account.from == KeySource::From::none) return false;
  return route.record.hash_account || !route.record.redact.patterns.empty();
}

void read_keys(const Place& place, Context& context, Settings& settings) {
  if (!is_map(place, context)) return;
  if (place.node.entries.size() > kMaxKeys) {
    context.report.add(codes::kOutOfRange, place.node.at,
                       fmt::format("{} has more than {} keys", place.name, kMaxKeys));
    return;
  }
  for (const yaml::Entry& entry : place.node.entries) {
    const Place child = place.child(entry);
    if (entry.key == "active") {
      if (auto id = read_text(child, context, "the name of a key")) settings.keys.active = *id;
    } else if (check_name(entry, "key", context)) {
      const auto file = Secret{}.read(child, context);
      if (file && entry.key == "account") settings.keys.account = *file;
      if (file && entry.key != "account") settings.keys.files.push_back({entry.key, *file});
    }
  }
}

}  // namespace

Key<RouteSettings> redact_key() {
  return group<RouteSettings>(
      "redact",
      {list_key<HeaderName>("headers", &Redactions::headers,
                            "header and trailer fields whose values are hidden; authorization, "
                            "cookie, set-cookie and proxy-authorization always are; a route's "
                            "lists add to those of `defaults`"),
       list_key<Text>("query", &Redactions::query,
                      "query parameters, in the target and in addresses within header fields"),
       list_key<JsonPathText>("json", &Redactions::json,
                              "values of JSON bodies: names, indexes, `*` and `..` of RFC 9535"),
       list_key<Text>("form", &Redactions::form,
                      "parameters of forms, urlencoded or multipart"),
       key<RouteSettings>(
           "patterns", [](RouteSettings& r) -> auto& { return r.record.redact.patterns; },
           List<PatternEntry>{{}, kMaxRedactions},
           "card numbers, e-mail addresses and what a regular expression (RE2) finds, in the "
           "target, header values, parameters and text of bodies")});
}

Key<Settings> keys_key() {
  return {"keys", read_keys,
          [](const std::string& path, const Settings&, std::vector<KeyRow>& rows) {
            const std::string type = Secret{}.type();
            rows.push_back({path + ".active", "name of a key", "",
                            "the key with which `hash` and `encrypt` write"});
            rows.push_back({path + ".account", type, "made beside the journal",
                            "key under which account ids are hashed"});
            rows.push_back({path + ".NAME", type, "",
                            "a file of 64 hexadecimal digits or of at least 32 bytes that others "
                            "cannot read; former keys stay here for those who read"});
          }};
}

void finish_redactions(RecordSettings& record) {
  Redactions& redact = record.redact;
  for (const std::string_view credential : recorder::kCredentialHeaders)
    if (!lists_header(record, credential)) redact.headers.push_back({std::string(credential)});
  merge(redact.headers, [](const Redaction& a, const Redaction& b) {
    return equals_ignoring_case(a.name, b.name);
  });
  const auto same_name = [](const Redaction& a, const Redaction& b) { return a.name == b.name; };
  merge(redact.query, same_name);
  merge(redact.json, same_name);
  merge(redact.form, same_name);
  merge(redact.patterns, [](const PatternRedaction& a, const PatternRedaction& b) {
    return a.kind == b.kind && a.regex == b.regex;
  });
}

bool hides_account(const RecordSettings& record, const KeySource& source) {
  switch (source.from) {
    case KeySource::From::cookie:
      return true;
    case KeySource::From::header:
    case KeySource::From::jwt:
      return lists_header(record, source.name);
    case KeySource::From::query:
      return lists_query(record, source.name);
    case KeySource::From::none:
    case KeySource::From::path:
    case KeySource::From::peer:
      break;
  }
  return false;
}

void check_redaction_keys(const Settings& settings, const yaml::Node& root, Context& context) {
  const recorder::KeySettings& keys = settings.keys;
  const bool is_known = std::any_of(keys.files.begin(), keys.files.end(),
                                    [&](const auto& file) { return file.id == keys.active; });
  if (!keys.active.empty() && !is_known)
    context.report.add(codes::kRedactionKeys, locate(root, "recorder.keys.active"),
                       fmt::format("recorder.keys has no key '{}'", keys.active),
                       fmt::format("{}: {{ file: path }}", keys.active));
  for (const RouteSettings& route : settings.routes) {
    const char* const list = route.record.enabled ? keyed_list(route.record.redact) : nullptr;
    if (list == nullptr || !keys.active.empty()) continue;
    context.report.add(
        codes::kRedactionKeys,
        locate(root, fmt::format("routes.{}.record.redact.{}", route.rule.name, list)),
        "'hash' and 'encrypt' need a key", "recorder: { keys: { active: k1, k1: { file: path } } }");
  }
  const bool shares_archive = settings.archives && !settings.archive.to.bucket.empty();
  if ((!settings.kafka && !shares_archive) || !keys.account.empty()) return;
  for (const RouteSettings& route : settings.routes) {
    if (!hashes_accounts(route)) continue;
    context.report.add(
        codes::kRedactionKeys, locate(root, settings.kafka ? "recorder.kafka" : "archive.to"),
        fmt::format("account ids of '{}' are hashed, and every gateway would make a key of its own",
                    route.rule.name),
        "recorder: { keys: { account: { file: path } } }");
    return;
  }
}

}  // namespace segue::config
