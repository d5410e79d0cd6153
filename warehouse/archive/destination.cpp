#include "warehouse/archive/destination.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "recorder/journal/consumers.hpp"
#include "recorder/journal/small_files.hpp"
#include "warehouse/storage/folder_file.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int kFormatVersion = 1;
constexpr const char* kOnPurpose =
    "`seguectl archive ... --once --switch-archive rest` (--help says more)";

fs::path path_of(const fs::path& journal) { return journal / recorder::kDestinationFile; }

StorageError failure(const fs::path& journal, const Error& error) {
  return StorageError(fmt::format("{}: {}", path_of(journal).string(), describe(error)));
}

// Only one process at a time writes it.
recorder::FileHandle lock(const fs::path& journal) {
  auto locked = recorder::lock_folder(journal, "locking the journal");
  if (!locked) throw failure(journal, locked.error());
  return std::move(*locked);
}

void write(const fs::path& journal, const Destination& destination) {
  const json::object text{{"format_version", kFormatVersion},
                          {"archive", destination.archive},
                          {"place", destination.place}};
  const auto written = recorder::replace_file(path_of(journal), json::serialize(text) + "\n",
                                              recorder::Sync::yes);
  if (!written) throw failure(journal, written.error());
}

std::optional<Destination> parse(const json::value& value) {
  const auto text = [&](const char* name) {
    const json::value* const found = value.get_object().if_contains(name);
    return found == nullptr || !found->is_string() ? std::string()
                                                   : std::string(found->get_string());
  };
  Destination destination{.archive = text("archive"), .place = text("place")};
  if (destination.archive.empty() || destination.place.empty()) return std::nullopt;
  return destination;
}

}  // namespace

// A relative path would say nothing to the next process.
Destination destination_of(const Archive& archive) {
  const ObjectStore& store = archive.store();
  const auto file = store.file_of(archive_key());
  if (!file) return {archive.id(), store.name()};
  const fs::path folder = fs::absolute(*file).lexically_normal().parent_path();
  return {archive.id(), ArchiveLocation{.folder = folder, .bucket = {}, .prefix = {}}.name()};
}

std::optional<Destination> find_destination(const fs::path& journal) {
  const auto file = FolderFile::open(path_of(journal));
  if (!file) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(file->read(0, file->version().bytes), error);
  const json::value* const version =
      error || !value.is_object() ? nullptr : value.get_object().if_contains("format_version");
  if (version != nullptr && *version != kFormatVersion)
    throw StorageError(fmt::format("{} is of format version {}; this segue knows {}: use a newer one",
                                   path_of(journal).string(), json::serialize(*version),
                                   kFormatVersion));
  auto destination = version == nullptr ? std::nullopt : parse(value);
  if (!destination)
    throw StorageError(fmt::format("{} is damaged, and said which archive this journal is archived "
                                   "into: remove it, and name the right one with --to",
                                   path_of(journal).string()));
  return destination;
}

Destination settle_destination(const fs::path& journal, const Destination& wanted) {
  const recorder::FileHandle locked = lock(journal);
  auto found = find_destination(journal);
  const bool is_new = !found || (found->archive == wanted.archive && found->place != wanted.place);
  if (is_new) write(journal, wanted);
  return found ? std::move(*found) : wanted;
}

void change_destination(const fs::path& journal, const Destination& wanted) {
  const recorder::FileHandle locked = lock(journal);
  write(journal, wanted);
}

Archive open_archive_of(const fs::path& journal, ObjectStore& store) {
  const auto its = find_destination(journal);
  if (!its) return Archive::open_or_create(store);
  auto archive = Archive::find(store);
  if (!archive)
    throw StorageError(fmt::format(
        "journal:{} is archived into archive {} ({}), and there is none at {}: is its disk mounted? "
        "If another one is to go on in its place: {}",
        journal.string(), its->archive, its->place, store.name(), kOnPurpose));
  if (archive->id() != its->archive) throw not_its_archive(journal, *its, destination_of(*archive));
  return std::move(*archive);
}

StorageError not_its_archive(const fs::path& journal, const Destination& its,
                             const Destination& other) {
  return StorageError(fmt::format(
      "journal:{} is archived into archive {} ({}), and {} is archive {}: name the first one, or, "
      "if it is to be the second from now on: {}",
      journal.string(), its.archive, its.place, other.place, other.archive, kOnPurpose));
}

}  // namespace segue::warehouse
