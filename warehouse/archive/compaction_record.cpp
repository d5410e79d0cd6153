#include "warehouse/archive/compaction_record.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <numeric>

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFormatVersion = 1;
constexpr std::string_view kFolder = "_compactions/";

// Reads one JSON object; what is amiss throws with the key of the record.
class Fields {
 public:
  Fields(const std::string& key, const json::value& value) : key_(key) {
    if (!value.is_object()) wrong("what should be an object is none");
    object_ = &value.get_object();
  }

  const json::value& value(const char* name) const {
    const json::value* const found = object_->if_contains(name);
    if (found == nullptr) wrong(fmt::format("it has no `{}`", name));
    return *found;
  }
  std::uint64_t number(const char* name) const {
    boost::system::error_code error;
    const auto number = value(name).to_number<std::uint64_t>(error);
    if (error) wrong(fmt::format("`{}` is no number", name));
    return number;
  }
  std::string text(const char* name) const {
    const json::value& found = value(name);
    if (!found.is_string()) wrong(fmt::format("`{}` is no text", name));
    return std::string(found.get_string());
  }
  const json::array& list(const char* name) const {
    const json::value& found = value(name);
    if (!found.is_array()) wrong(fmt::format("`{}` is no list", name));
    return found.get_array();
  }

  [[noreturn]] void wrong(std::string_view what) const {
    throw StorageError(fmt::format("{} is damaged: {}", key_, what));
  }

 private:
  const std::string& key_;
  const json::object* object_ = nullptr;
};

json::value to_value(const CompactionInput& input) {
  return json::object{{"topic", input.chain.topic}, {"partition", input.chain.partition},
                      {"start", input.start},       {"end", input.end},
                      {"path", input.path},         {"rows", input.rows},
                      {"sha256", input.sha256}};
}

CompactionInput read_input(const std::string& key, const json::value& value) {
  const Fields fields(key, value);
  return {.chain = {fields.text("topic"), fields.text("partition")},
          .start = fields.number("start"),
          .end = fields.number("end"),
          .path = fields.text("path"),
          .rows = fields.number("rows"),
          .sha256 = fields.text("sha256")};
}

}  // namespace

std::uint64_t Compaction::input_rows() const {
  return std::accumulate(
      inputs.begin(), inputs.end(), std::uint64_t{0},
      [](std::uint64_t sum, const CompactionInput& input) { return sum + input.rows; });
}

std::uint64_t Compaction::output_rows() const {
  return std::accumulate(
      outputs.begin(), outputs.end(), std::uint64_t{0},
      [](std::uint64_t sum, const Done& output) { return sum + output.file.rows; });
}

std::uint64_t Compaction::forgotten_rows() const {
  return std::accumulate(
      outputs.begin(), outputs.end(), std::uint64_t{0},
      [](std::uint64_t sum, const Done& output) { return sum + output.forgotten; });
}

std::string to_json(const Compaction& compaction) {
  json::array inputs;
  for (const CompactionInput& input : compaction.inputs) inputs.push_back(to_value(input));
  json::array outputs;
  for (const Done& output : compaction.outputs) outputs.push_back(json::parse(to_json(output)));
  json::array removals;
  for (const Removal& removal : compaction.removals)
    removals.push_back(json::object{{"source", removal.source},
                                    {"partition", removal.partition},
                                    {"offset", removal.offset}});
  return json::serialize(
      json::object{{"format_version", kFormatVersion},
                   {"dt", text_of(compaction.day)},
                   {"compacted_at", compaction.compacted_at},
                   {"raw", compaction.raw == Compaction::Raw::kept ? "kept" : "removed"},
                   {"inputs", std::move(inputs)},
                   {"outputs", std::move(outputs)},
                   {"removals", std::move(removals)}});
}

Compaction parse_compaction(const std::string& key, std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const Fields fields(key, value);
  if (fields.number("format_version") != kFormatVersion)
    fields.wrong("another version of segue wrote it; use that one, or a newer one");
  Compaction compaction;
  const auto day = parse_day(fields.text("dt"));
  if (!day || compaction_key(*day) != key) fields.wrong("it is the record of another day");
  compaction.day = *day;
  compaction.compacted_at = static_cast<std::int64_t>(fields.number("compacted_at"));
  compaction.raw =
      fields.text("raw") == "kept" ? Compaction::Raw::kept : Compaction::Raw::removed;
  for (const json::value& input : fields.list("inputs"))
    compaction.inputs.push_back(read_input(key, input));
  for (const json::value& output : fields.list("outputs"))
    compaction.outputs.push_back(parse_done(key, json::serialize(output)));
  for (const json::value& removal : fields.list("removals")) {
    const Fields one(key, removal);
    compaction.removals.push_back(
        {one.text("source"), one.text("partition"), one.number("offset")});
  }
  return compaction;
}

std::optional<Compaction> compaction_of(ObjectStore& store, Day day) {
  const std::string key = compaction_key(day);
  const auto text = store.read(key);
  if (!text) return std::nullopt;
  return parse_compaction(key, *text);
}

std::vector<Day> compacted_days(ObjectStore& store) {
  std::vector<Day> days;
  store.list(kFolder, "", [&](const StoredObject& object) {
    const auto day = day_of_key(object.key);
    if (day && object.key == compaction_key(*day)) days.push_back(*day);
  });
  return days;
}

}  // namespace segue::warehouse
