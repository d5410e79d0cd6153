#include "warehouse/upkeep/forgetting_mend.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "warehouse/storage/whole_objects.hpp"
#include "warehouse/upkeep/file_books.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;

constexpr const char* kForgetting = "_forgetting.json";

constexpr const char* kIds = "_forgetting_ids.json";

[[noreturn]] void throw_damaged(const ObjectStore& store) {
  throw StorageError(fmt::format("{}: {} is damaged; remove it, then run `seguectl verify`: the "
                                 "files that it reports are to be forgotten again",
                                 store.name(), kForgetting));
}

const json::array& list_of(const ObjectStore& store, const json::object& book, const char* name) {
  const json::value* const list = book.if_contains(name);
  if (list == nullptr || !list->is_array()) throw_damaged(store);
  return list->get_array();
}

bool is_as(ObjectStore& store, const std::string& key, std::uint64_t bytes,
           const FileFacts& facts) {
  return bytes == facts.bytes && sha256_of_object(store, key) == facts.sha256;
}

// What is wrong; empty: nothing any more.
std::string mend(ObjectStore& store, const HalfForgotten& half) {
  const auto bytes = store.size(half.key);
  if (!bytes) return {};  // its day was taken away
  const auto book = facts_in_books(store, half.key);
  if (!book || is_as(store, half.key, *bytes, *book)) return {};
  if (half.becomes && is_as(store, half.key, *bytes, *half.becomes)) {
    say_forgotten(store, half.key, *half.becomes);
    return {};
  }
  const bool is_raw = half.key.starts_with(raw_folder());
  return fmt::format(
      "{}: {} is neither as its books say nor as `forget` was writing it when it was killed: put it "
      "back from a backup{}, then forget the account again",
      store.name(), half.key,
      is_raw ? ", or remove it and its .done, and `seguectl archive --once` makes it again while its "
               "source has the records"
             : "");
}

}  // namespace

std::vector<HalfForgotten> half_forgotten(ObjectStore& store) {
  std::vector<HalfForgotten> files;
  const auto text = store.read(kForgetting);
  if (!text) return files;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object()) throw_damaged(store);
  const json::object& book = value.get_object();
  for (const json::value& key : list_of(store, book, "files"))
    if (key.is_string()) files.push_back({std::string(key.get_string()), std::nullopt});
  if (!book.contains("becomes")) return files;
  for (const json::value& becomes : list_of(store, book, "becomes")) {
    const Done done = parse_done(kForgetting, json::serialize(becomes));
    for (HalfForgotten& file : files)
      if (file.key == done.path) file.becomes = done.file;
  }
  return files;
}

void set_half_forgotten(ObjectStore& store, const std::vector<HalfForgotten>& files) {
  if (files.empty()) return store.remove(kForgetting);
  json::array keys;
  json::array becomes;
  for (const HalfForgotten& file : files) {
    keys.push_back(json::string(file.key));
    if (file.becomes)
      becomes.push_back(json::parse(to_json(
          Done{.path = file.key, .file = *file.becomes, .done_at = 0, .forgotten = 0})));
  }
  store.replace(kForgetting, json::serialize(json::object{{"format_version", 1},
                                                          {"files", std::move(keys)},
                                                          {"becomes", std::move(becomes)}}));
}

std::string forgetting_ids_key() { return kIds; }

std::vector<std::string> ids_being_forgotten(ObjectStore& store) {
  const auto text = store.read(kIds);
  if (!text) return {};
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  const json::value* const list =
      error || !value.is_object() ? nullptr : value.get_object().if_contains("ids");
  static const json::value nothing;
  const auto ids =
      json::try_value_to<std::vector<std::string>>(list == nullptr ? nothing : *list);
  if (!ids)
    throw StorageError(fmt::format("{}: {} is damaged: put it back from a backup, else remove it, and "
                                   "FINISH records and comparisons of what was being forgotten stay",
                                   store.name(), kIds));
  return *ids;
}

void set_ids_being_forgotten(ObjectStore& store, const std::vector<std::string>& ids) {
  if (ids.empty()) return store.remove(kIds);
  store.replace(kIds, json::serialize(json::object{{"format_version", 1},
                                                   {"ids", json::value_from(ids)}}));
}

std::vector<UnmendedFile> mend_forgetting(Archive& archive, Tenure& tenure) {
  ObjectStore& store = archive.store();
  const auto files = half_forgotten(store);
  std::vector<UnmendedFile> unmended;
  std::vector<HalfForgotten> left;
  for (const HalfForgotten& file : files) {
    tenure.confirm();
    std::string wrong;
    try {
      wrong = mend(store, file);
    } catch (const StorageError& error) {
      wrong = error.what();
    }
    if (wrong.empty()) continue;
    left.push_back(file);
    unmended.push_back({file, std::move(wrong)});
  }
  tenure.confirm();
  if (left.size() != files.size()) set_half_forgotten(store, left);
  return unmended;
}

}  // namespace segue::warehouse
