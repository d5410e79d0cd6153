#include "warehouse/sql/archive_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/arena.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <optional>
#include <system_error>
#include <vector>

#include "recorder/exchange.pb.h"
#include "runtime/owned_descriptor.hpp"
#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/sql/views.hpp"
#include "warehouse/sql/without_bodies.hpp"
#include "warehouse/storage/disk_error.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {
namespace {

using runtime::OwnedDescriptor;

constexpr const char* kFunction = "records_to_archive";
constexpr unsigned kRowGroupRows = 16'384;
constexpr const char* kRowGroupBytes = "48MB";
// Of records in one chunk of rows, each of which may be as long as a record can be.
constexpr std::size_t kChunkBytes = 8 << 20;
constexpr std::size_t kArenaBytes = 64 << 10;  // that are kept from record to record
constexpr std::size_t kIdBytes = 16;
constexpr std::uint32_t kServerError = 500;

std::string sql_text(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? std::string("''") : std::string(1, c);
  return literal + "'";
}

OwnedDescriptor open_file(const std::filesystem::path& path) {
  OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw disk_error(path, "open the file", errno);
  return file;
}

// COPY leaves what it wrote to the kernel.
void sync_file(const std::filesystem::path& path) {
  if (::fsync(open_file(path).get()) != 0) throw disk_error(path, "sync the file", errno);
}

// Whether a file says of its rows which records they are: columns of all schemas.
bool has_places(Engine& engine, const std::filesystem::path& path) {
  const auto places = archive_columns().first(3);  // source, partition, offset
  bool all = false;
  engine.ask(fmt::format("SELECT (count(DISTINCT field_id) = {})::VARCHAR FROM parquet_schema({}) "
                         "WHERE field_id BETWEEN {} AND {}",
                         places.size(), sql_literal(path.string()), places.front().field_id,
                         places.back().field_id),
             [&](const Engine::Row& row) { all = row[0] == "true"; });
  return all;
}

// One record on its way into a row, and what a file of them will be said to hold.
class RecordRow {
 public:
  explicit RecordRow(const Chain& chain) : chain_(chain) {}

  void read(const SourceRecord& record) {
    record_ = record;
    is_exchange_ =
        record.payload.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
        parse(record.payload) && exchange_->id().size() == kIdBytes &&
        exchange_->kind() != v1::KIND_UNSPECIFIED;
    if (is_exchange_) row_.read(*exchange_);
    count();
  }

  // One value for each column of a file, in their order.
  void write(duckdb_data_chunk chunk, idx_t at) {
    idx_t column = 0;
    for (const ExchangeColumn& each : exchange_columns()) {
      const duckdb_vector into = duckdb_data_chunk_get_vector(chunk, column++);
      is_exchange_ ? each.write(row_, into, at) : each.write_null(into, at);
    }
    const auto next = [&] { return duckdb_data_chunk_get_vector(chunk, column++); };
    const auto put = [at](duckdb_vector into, std::string_view text) {
      duckdb_vector_assign_string_element_len(into, at, text.data(), text.size());
    };
    put(next(), chain_.topic);
    put(next(), chain_.partition);
    static_cast<std::int64_t*>(duckdb_vector_get_data(next()))[at] =
        static_cast<std::int64_t>(record_.offset);
    static_cast<bool*>(duckdb_vector_get_data(next()))[at] = record_.redelivered;
    put(next(), is_exchange_ ? without_bodies_(record_.payload) : record_.payload);
  }

  const FileFacts& facts() const noexcept { return facts_; }

 private:
  bool parse(std::string_view payload) {
    arena_.Reset();
    exchange_ = google::protobuf::Arena::CreateMessage<v1::Exchange>(&arena_);
    return exchange_->ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  }

  void count() {
    ++facts_.rows;
    if (record_.redelivered) ++facts_.redelivered;
    if (!is_exchange_) return;
    if (exchange_->kind() == v1::KIND_FINISH) ++facts_.finishes;
    if (exchange_->outcome() != v1::OUTCOME_COMPLETED ||
        exchange_->response().status() >= kServerError)
      ++facts_.failures;
    const auto at = created_at(row_);
    if (!at) return;
    facts_.min_created_at =
        facts_.min_created_at == 0 ? *at : std::min(facts_.min_created_at, *at);
    facts_.max_created_at = std::max(facts_.max_created_at, *at);
  }

  const Chain& chain_;
  SourceRecord record_;
  std::vector<char> block_ = std::vector<char>(kArenaBytes);
  google::protobuf::Arena arena_{block_.data(), block_.size()};
  v1::Exchange* exchange_ = nullptr;  // in the arena
  bool is_exchange_ = false;
  ExchangeRow row_;
  WithoutBodies without_bodies_;
  FileFacts facts_;
};

}  // namespace

// What the table function reads while a file is encoded. Its memory stays from file to file.
struct ArchiveFileEncoder::Job {
  RecordReader* records = nullptr;
  std::optional<RecordRow> row;
  std::exception_ptr failure;  // of the reader; DuckDB knows but texts

  static void bind(duckdb_bind_info info);
  static void init(duckdb_init_info info);
  static void next_chunk(duckdb_function_info info, duckdb_data_chunk chunk);
};

void ArchiveFileEncoder::Job::bind(duckdb_bind_info info) {
  for (const ExchangeColumn& column : exchange_columns()) {
    duckdb_logical_type type = column.logical_type();
    duckdb_bind_add_result_column(info, column.name, type);
    duckdb_destroy_logical_type(&type);
  }
  for (const ArchiveColumn& column : archive_columns()) {
    duckdb_logical_type type = duckdb_create_logical_type(column.type);
    duckdb_bind_add_result_column(info, column.name, type);
    duckdb_destroy_logical_type(&type);
  }
}

void ArchiveFileEncoder::Job::init(duckdb_init_info info) { duckdb_init_set_max_threads(info, 1); }

// No exception may pass through DuckDB's C interface.
void ArchiveFileEncoder::Job::next_chunk(duckdb_function_info info, duckdb_data_chunk chunk) {
  Job& job = *static_cast<Job*>(duckdb_function_get_extra_info(info));
  try {
    const idx_t most = duckdb_vector_size();
    std::size_t bytes = 0;
    idx_t rows = 0;
    while (rows < most && bytes < kChunkBytes) {
      const auto record = job.records->next();
      if (!record) break;
      bytes += record->payload.size();
      job.row->read(*record);
      job.row->write(chunk, rows++);
    }
    duckdb_data_chunk_set_size(chunk, rows);
  } catch (const std::exception& error) {
    job.failure = std::current_exception();
    duckdb_function_set_error(info, error.what());
  }
}

ArchiveFileEncoder::ArchiveFileEncoder()
    : version_(fmt::format("segue {}, duckdb {}", SEGUE_VERSION, duckdb_library_version())),
      job_(std::make_unique<Job>()) {
  prepare_for_copy(engine_);
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, kFunction);
  duckdb_table_function_set_extra_info(function, job_.get(), [](void*) {});
  duckdb_table_function_set_bind(function, Job::bind);
  duckdb_table_function_set_init(function, Job::init);
  duckdb_table_function_set_function(function, Job::next_chunk);
  const duckdb_state registered = duckdb_register_table_function(engine_.connection(), function);
  duckdb_destroy_table_function(&function);
  if (registered != DuckDBSuccess) throw StartupError("DuckDB takes no table function");
}

ArchiveFileEncoder::~ArchiveFileEncoder() = default;

FileFacts ArchiveFileEncoder::encode(const Chain& chain, RecordReader& records,
                                     const std::filesystem::path& path) {
  job_->records = &records;
  job_->row.emplace(chain);
  job_->failure = nullptr;
  try {
    copy_to_parquet(engine_, fmt::format("SELECT * FROM {}()", kFunction), path);
  } catch (const SqlError& error) {
    if (job_->failure) std::rethrow_exception(job_->failure);
    throw StorageError(
        fmt::format("{}: cannot write the file: {}: look for room there, or name another folder with "
                    "--staging",
                    path.string(), error.what()));
  }
  FileFacts facts = job_->row->facts();
  add_size_and_hash(facts, path);
  return facts;
}

FileFacts ArchiveFileEncoder::facts_of(const std::filesystem::path& path) {
  return warehouse::facts_of(engine_, path);
}

void prepare_for_copy(Engine& engine) {
  engine.run("SET threads = 1");
  // With one thread the order stays all the same; with it set, row groups have no limit of bytes.
  engine.run("SET preserve_insertion_order = false");
}

void copy_to_parquet(Engine& engine, const std::string& select,
                     const std::filesystem::path& path) {
  engine.run(fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
                         "ROW_GROUP_SIZE {}, ROW_GROUP_SIZE_BYTES '{}', FIELD_IDS {})",
                         select, sql_text(path.string()), kRowGroupRows, kRowGroupBytes,
                         archive_field_ids()));
  sync_file(path);
}

FileFacts facts_of(Engine& engine, const std::filesystem::path& path) {
  FileFacts facts;
  const auto number = [](std::string_view text) {
    return text.data() == nullptr ? 0 : std::stoll(std::string(text));
  };
  try {
    if (!has_places(engine, path)) throw SqlError("its columns are others");
    engine.ask(
        fmt::format("SELECT COLUMNS(*)::VARCHAR FROM (SELECT count(*), count(*) FILTER (outcome <> "
                    "'COMPLETED' OR status >= {}), count(*) FILTER (kind = 'FINISH'), count(*) "
                    "FILTER (redelivered), epoch_us(min(created_at)), epoch_us(max(created_at)) "
                    "FROM {})",
                    kServerError, read_files(archived_columns(), {path.string()})),
        [&](const Engine::Row& row) {
          facts.rows = static_cast<std::uint64_t>(number(row[0]));
          facts.failures = static_cast<std::uint64_t>(number(row[1]));
          facts.finishes = static_cast<std::uint64_t>(number(row[2]));
          facts.redelivered = static_cast<std::uint64_t>(number(row[3]));
          facts.min_created_at = number(row[4]);
          facts.max_created_at = number(row[5]);
        });
  } catch (const SqlError& error) {
    throw StorageError(
        fmt::format("{}: it is no file of an archive: {}", path.string(), error.what()));
  }
  add_size_and_hash(facts, path);
  return facts;
}

void add_size_and_hash(FileFacts& facts, const std::filesystem::path& path) {
  std::error_code error;
  facts.bytes = std::filesystem::file_size(path, error);
  if (error) throw disk_error(path, "look at the file", error.value());
  facts.sha256 = sha256_of(path, 0, facts.bytes);
}

}  // namespace segue::warehouse
