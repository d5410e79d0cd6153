#include "warehouse/upkeep/file_books.hpp"

#include <algorithm>
#include <utility>

#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/upkeep/closed_days.hpp"

namespace segue::warehouse {
namespace {

// `.done` of a raw file, and its key.
std::optional<std::pair<std::string, Done>> done_of(ObjectStore& store, const std::string& key) {
  const auto done_key = done_key_of_raw(key);
  const auto text = done_key ? store.read(*done_key) : std::nullopt;
  if (!text) return std::nullopt;
  Done done = parse_done(*done_key, *text);
  if (done.path != key) return std::nullopt;
  return std::pair(*done_key, std::move(done));
}

std::optional<Compaction> record_of(ObjectStore& store, const std::string& key) {
  const auto day = day_of_key(key);
  return day && key.starts_with(compact_folder()) ? compaction_of(store, *day) : std::nullopt;
}

void say_in(Done& done, const FileFacts& now) {
  done.forgotten += done.file.rows - now.rows;
  done.file = now;
}

}  // namespace

std::optional<FileFacts> facts_in_books(ObjectStore& store, const std::string& key) {
  if (const auto done = done_of(store, key)) return done->second.file;
  const auto record = record_of(store, key);
  if (!record) return std::nullopt;
  const auto output = std::ranges::find(record->outputs, key, &Done::path);
  if (output == record->outputs.end()) return std::nullopt;
  return output->file;
}

void say_forgotten(ObjectStore& store, const std::string& key, const FileFacts& now) {
  if (auto done = done_of(store, key)) {
    if (done->second.file.sha256 == now.sha256) return;
    say_in(done->second, now);
    return store.replace(done->first, to_json(done->second));
  }
  auto record = record_of(store, key);
  if (!record) return;
  const auto output = std::ranges::find(record->outputs, key, &Done::path);
  if (output == record->outputs.end() || output->file.sha256 == now.sha256) return;
  say_in(*output, now);
  store.replace(compaction_key(record->day), to_json(*record));
}

}  // namespace segue::warehouse
