#include "warehouse/upkeep/forgetting_mend.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/upkeep/closed_days.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr const char* kForgetting = "_forgetting.json";

void say_in(Done& done, const FileFacts& now) {
  done.forgotten += done.file.rows - now.rows;
  done.file = now;
}

void say_in_done(ObjectStore& store, const std::string& key, const FileFacts& now) {
  const auto done_key = done_key_of_raw(key);
  const auto text = done_key ? store.read(*done_key) : std::nullopt;
  if (!text) return;
  Done done = parse_done(*done_key, *text);
  if (done.path != key || done.file.sha256 == now.sha256) return;
  say_in(done, now);
  store.replace(*done_key, to_json(done));
}

void say_in_compaction(ObjectStore& store, Day day, const std::string& key, const FileFacts& now) {
  auto record = compaction_of(store, day);
  if (!record) return;
  for (Done& output : record->outputs) {
    if (output.path != key || output.file.sha256 == now.sha256) continue;
    say_in(output, now);
    return store.replace(compaction_key(day), to_json(*record));
  }
}

}  // namespace

std::vector<std::string> files_being_forgotten(ObjectStore& store) {
  std::vector<std::string> keys;
  const auto text = store.read(kForgetting);
  if (!text) return keys;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  const json::value* const list =
      error || !value.is_object() ? nullptr : value.get_object().if_contains("files");
  if (list == nullptr || !list->is_array())
    throw StorageError(fmt::format("{}: {} is damaged; remove it, then run `seguectl verify`: the "
                                   "files that it reports are to be forgotten again",
                                   store.name(), kForgetting));
  for (const json::value& key : list->get_array())
    if (key.is_string()) keys.emplace_back(key.get_string());
  return keys;
}

void set_files_being_forgotten(ObjectStore& store, const std::vector<std::string>& keys) {
  json::array list;
  for (const std::string& key : keys) list.push_back(json::string(key));
  store.replace(kForgetting,
                json::serialize(json::object{{"format_version", 1}, {"files", std::move(list)}}));
}

void clear_files_being_forgotten(ObjectStore& store) { store.remove(kForgetting); }

void say_forgotten(Archive& archive, const std::string& key, const FileFacts& now) {
  const auto day = day_of_key(key);
  if (!day) return;
  if (key.starts_with(compact_folder())) return say_in_compaction(archive.store(), *day, key, now);
  say_in_done(archive.store(), key, now);
}

void mend_forgetting(Archive& archive, Workbench& bench, Tenure& tenure) {
  ObjectStore& store = archive.store();
  const auto keys = files_being_forgotten(store);
  for (const std::string& key : keys) {
    tenure.confirm();
    if (!key.starts_with(comparisons_folder()) && store.size(key))
      say_forgotten(archive, key, facts_of(bench.engine(), bench.local_file(key)));
  }
  if (!keys.empty()) clear_files_being_forgotten(store);
}

}  // namespace segue::warehouse
