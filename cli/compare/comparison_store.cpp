#include "cli/compare/comparison_store.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "cli/exchange_text.hpp"
#include "cli/interruption.hpp"
#include "compare/difference_list.hpp"
#include "exchange/error.hpp"
#include "runtime/clock.hpp"

namespace segue::cli {
namespace {

using warehouse::ComparisonRow;

constexpr std::size_t kMostText = 2'000;  // octets of a target, a path, a field
constexpr std::size_t kTimeDigits = 20;   // with which the name of a file begins

std::string text(std::string_view octets) { return compare::readable(octets, kMostText); }

std::optional<std::int64_t> status_of(const v1::Exchange& exchange) {
  const std::uint32_t status = exchange.response().status();
  return status == 0 ? std::nullopt : std::optional<std::int64_t>(status);
}

ComparisonRow row_of(const compare::Comparing::Compared& compared) {
  const v1::Exchange& primary = *compared.pair.primary;
  const v1::Exchange& copy = compared.pair.other;
  ComparisonRow row;
  row.id = id_text(primary.id());
  row.copy_id = id_text(copy.id());
  row.created_at = primary.created_at();
  row.kind = kind_name(copy.kind());
  row.route = text(primary.decision().route());
  row.path_template = text(primary.decision().path_template());
  row.method = text(primary.request().method());
  row.target = text(primary.request().target());
  row.backend = text(primary.decision().backend());
  row.copy_backend = text(copy.decision().backend());
  row.status = status_of(primary);
  row.copy_status = status_of(copy);
  row.verdict = compare::name_of(compared.comparison.verdict);
  if (!compared.comparison.reason.empty()) row.reason = std::string(compared.comparison.reason);
  return row;
}

// A file of this process, gone with its scope.
class StagedFile {
 public:
  StagedFile() {
    std::string pattern = std::filesystem::temp_directory_path() / "segue-compare-XXXXXX";
    const int file = ::mkstemp(pattern.data());
    if (file < 0) throw StartupError(fmt::format("{}: cannot be made", pattern));
    ::close(file);
    path_ = pattern;
  }
  ~StagedFile() {
    std::error_code error;
    std::filesystem::remove(path_, error);
  }
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

ComparisonStore::ComparisonStore(const ArchiveSource& archive)
    : name_(archive.location.name()),
      store_(warehouse::open_store(archive.location, archive.s3, interrupted)),
      compared_at_(runtime::unix_micros_now()),
      written_(std::chrono::steady_clock::now()) {
  warehouse::Archive::open(*store_);
}

void ComparisonStore::add(const compare::Comparing::Compared& compared) {
  ComparisonRow row = row_of(compared);
  row.compared_at = compared_at_;
  const auto day = warehouse::day_of(row.created_at);
  auto& file = files_[day];
  if (!file) file = std::make_unique<warehouse::ComparisonFile>();
  ++pairs_;
  if (compared.comparison.differences.empty()) file->add(row);
  for (const compare::Difference& difference : compared.comparison.differences) {
    row.part = std::string(compare::name_of(difference.part));
    row.field = text(difference.field);
    row.path = text(difference.path);
    row.difference = std::string(compare::name_of(difference.kind));
    row.value = text(difference.left);
    row.copy_value = text(difference.right);
    file->add(row);
  }
  if (file->rows() >= kMostRows) write(day, *file);
}

void ComparisonStore::write(warehouse::Day day, warehouse::ComparisonFile& file) {
  if (file.rows() == 0) return;
  const StagedFile staged;
  const std::string folder =
      fmt::format("{}dt={}/", warehouse::comparisons_folder(), warehouse::text_of(day));
  const std::string name = file.name();
  file.write(staged.path());
  if (is_latest(folder, name)) {
    ++known_files_;
    return;
  }
  store_->create_from(fmt::format("{}{:020}~{}.parquet", folder, compared_at_, name),
                      staged.path());
  ++new_files_;
}

// Files of this run need not be looked at: what is compared once is in one of them alone.
bool ComparisonStore::is_latest(const std::string& folder, const std::string& rows) {
  std::string same;  // their keys begin with the time
  std::string other;
  store_->list(folder, "", [&](const warehouse::StoredObject& object) {
    if (object.key >= fmt::format("{}{:020}", folder, compared_at_)) return;
    (object.key.ends_with(fmt::format("~{}.parquet", rows)) ? same : other) = object.key;
  });
  const std::size_t time = folder.size() + kTimeDigits;
  return !same.empty() && (other.empty() || same.substr(0, time) >= other.substr(0, time));
}

// What is compared from now on is later than what others compared meanwhile.
void ComparisonStore::write() {
  for (const auto& [day, file] : std::exchange(files_, {})) write(day, *file);
  compared_at_ = runtime::unix_micros_now();
  written_ = std::chrono::steady_clock::now();
}

void ComparisonStore::write_when_due() {
  if (std::chrono::steady_clock::now() - written_ >= kEvery) write();
}

std::string ComparisonStore::told() const {
  return fmt::format("{} pairs stored in {}: {} new files, {} that were there", pairs_, name_,
                     new_files_, known_files_);
}

}  // namespace segue::cli
