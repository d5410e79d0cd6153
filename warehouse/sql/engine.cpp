#include "warehouse/sql/engine.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "exchange/error.hpp"
#include "warehouse/archive/staging.hpp"

namespace segue::warehouse {
namespace {

// Handles of DuckDB's C interface, each destroyed by a function of its own.
template <class Handle, void (*destroy)(Handle*)>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { destroy(&handle); }
  Handle handle{};
};

using Config = Owned<duckdb_config, duckdb_destroy_config>;
using Extracted = Owned<duckdb_extracted_statements, duckdb_destroy_extracted>;
using Prepared = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Answer = Owned<duckdb_result, duckdb_destroy_result>;
using Chunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using Connection = Owned<duckdb_connection, duckdb_disconnect>;

constexpr std::size_t kMostErrorBytes = 1'000;  // some name every column of a row

// DuckDB says what, and draws behind it a caret under the place in a copy of the statement.
SqlError sql_error(const char* text) {
  std::string line = text == nullptr ? "the statement failed" : text;
  std::string place;
  const std::size_t drawn = line.find("\n\nLINE ");
  if (drawn != std::string::npos) place = line.substr(drawn + 2);
  while (place.ends_with('\n')) place.pop_back();
  line = line.substr(0, line.find("\n\n"));
  std::ranges::replace(line, '\n', ' ');
  if (line.size() > kMostErrorBytes) line = line.substr(0, kMostErrorBytes) + " ...";
  return SqlError(line, place);
}

void set(duckdb_config config, const char* name, const char* value) {
  if (duckdb_set_config(config, name, value) != DuckDBSuccess)
    throw StartupError(std::string("DuckDB knows no setting ") + name);
}

ColumnKind kind_of(duckdb_type type) noexcept {
  switch (type) {
    case DUCKDB_TYPE_VARCHAR:
      return ColumnKind::text;
    case DUCKDB_TYPE_BOOLEAN:
      return ColumnKind::boolean;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
    case DUCKDB_TYPE_DECIMAL:
      return ColumnKind::number;
    default:
      return ColumnKind::other;
  }
}

void prepare(duckdb_connection connection, const std::string& sql, Prepared& into) {
  Extracted statements;
  const idx_t count = duckdb_extract_statements(connection, sql.c_str(), &statements.handle);
  if (count == 0) {
    const char* const why = duckdb_extract_statements_error(statements.handle);
    throw why != nullptr ? sql_error(why) : SqlError("there is no statement");
  }
  if (count > 1) throw SqlError("that is several statements; write one");
  if (duckdb_prepare_extracted_statement(connection, statements.handle, 0, &into.handle) !=
      DuckDBSuccess)
    throw sql_error(duckdb_prepare_error(into.handle));
}

std::string_view text_at(duckdb_string_t& value) {
  return {duckdb_string_t_data(&value), duckdb_string_t_length(value)};
}

void execute(duckdb_connection connection, const std::string& sql, Prepared& prepared,
             Answer& answer) {
  prepare(connection, sql, prepared);
  if (duckdb_execute_prepared_streaming(prepared.handle, &answer.handle) != DuckDBSuccess)
    throw sql_error(duckdb_result_error(&answer.handle));
}

// One row after the other of an answer that streams.
class Reading {
 public:
  explicit Reading(Answer& answer) : answer_(answer), row_(duckdb_column_count(&answer.handle)) {}

  const Engine::Row* next() {
    while (at_ == rows_)
      if (!fetch()) return nullptr;
    for (idx_t c = 0; c < row_.size(); ++c) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_->handle, c);
      auto* const values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
      std::uint64_t* const validity = duckdb_vector_get_validity(vector);
      const bool there = validity == nullptr || duckdb_validity_row_is_valid(validity, at_);
      row_[c] = there ? text_at(values[at_]) : std::string_view{};
    }
    ++at_;
    return &row_;
  }

 private:
  bool fetch() {
    chunk_.emplace();
    chunk_->handle = duckdb_fetch_chunk(answer_.handle);
    at_ = 0;
    rows_ = chunk_->handle == nullptr ? 0 : duckdb_data_chunk_get_size(chunk_->handle);
    if (chunk_->handle != nullptr) return true;
    if (const char* const why = duckdb_result_error(&answer_.handle)) throw sql_error(why);
    return false;
  }

  Answer& answer_;
  Engine::Row row_;
  std::optional<Chunk> chunk_;
  idx_t at_ = 0;
  idx_t rows_ = 0;
};

std::uint64_t most_memory() noexcept {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::min(Engine::kMostMemory, machine / 2);
}

}  // namespace

// Where statements put what memory does not hold: one of a user's engines, gone with its scope, and
// after a kill with the next one's beginning.
class Engine::SpillFolder {
 public:
  SpillFolder() {
    std::error_code error;
    const auto where = std::filesystem::temp_directory_path(error);
    if (error) return;
    try {
      staging_.emplace(where / ("segue-sql-" + std::to_string(::geteuid())));
    } catch (const StartupError&) {  // statements that fit into memory go on without
    }
  }
  // Empty: none can be made.
  std::filesystem::path path() const {
    return staging_ ? staging_->folder() : std::filesystem::path{};
  }

 private:
  std::optional<Staging> staging_;
};

Engine::Engine() : spill_(std::make_unique<SpillFolder>()) {
  Config config;
  duckdb_create_config(&config.handle);
  set(config.handle, "autoinstall_known_extensions", "false");
  set(config.handle, "autoload_known_extensions", "false");
  set(config.handle, "memory_limit", (std::to_string(most_memory()) + "B").c_str());
  set(config.handle, "temp_directory", spill_->path().c_str());
  char* error = nullptr;
  if (duckdb_open_ext(nullptr, &database_, config.handle, &error) != DuckDBSuccess) {
    const std::string why = error == nullptr ? "" : error;
    duckdb_free(error);
    throw StartupError("DuckDB does not start: " + why);
  }
  if (duckdb_connect(database_, &connection_) != DuckDBSuccess) {
    duckdb_close(&database_);
    throw StartupError("DuckDB gives no connection");
  }
  // Counted, so that progress() knows, and never drawn by DuckDB itself: settings of a connection.
  run("SET enable_progress_bar = true");
  run("SET enable_progress_bar_print = false");
}

Engine::~Engine() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void Engine::note_failure(std::exception_ptr failure) noexcept {
  const std::lock_guard lock(noting_);
  ++failures_;
  failure_ = std::move(failure);
}

std::uint64_t Engine::failures() noexcept {
  const std::lock_guard lock(noting_);
  return failures_;
}

void Engine::rethrow_failure(std::uint64_t before) {
  const std::lock_guard lock(noting_);
  if (failures_ > before) std::rethrow_exception(failure_);
}

template <class Call>
auto Engine::with_failures(std::uint64_t before, const Call& call) {
  try {
    return call();
  } catch (const SqlError&) {
    rethrow_failure(before);
    throw;
  }
}

void Engine::run(const std::string& sql) {
  with_failures(failures(), [&] {
    Answer answer;
    if (duckdb_query(connection_, sql.c_str(), &answer.handle) != DuckDBSuccess)
      throw sql_error(duckdb_result_error(&answer.handle));
  });
}

Engine::Statement Engine::look_at(const std::string& sql) {
  Prepared prepared;
  with_failures(failures(), [&] { prepare(connection_, sql, prepared); });
  Statement statement;
  statement.selects =
      duckdb_prepared_statement_type(prepared.handle) == DUCKDB_STATEMENT_TYPE_SELECT;
  const idx_t columns = duckdb_prepared_statement_column_count(prepared.handle);
  for (idx_t i = 0; i < columns; ++i) {
    const char* const name = duckdb_prepared_statement_column_name(prepared.handle, i);
    statement.columns.push_back(
        {name, kind_of(duckdb_prepared_statement_column_type(prepared.handle, i))});
    duckdb_free(const_cast<char*>(name));
  }
  return statement;
}

void Engine::ask(const std::string& sql, const std::function<void(const Row&)>& take) {
  const std::uint64_t before = failures();
  Prepared prepared;
  Answer answer;
  with_failures(before, [&] { execute(connection_, sql, prepared, answer); });
  Reading reading(answer);
  while (const Row* const row = with_failures(before, [&] { return reading.next(); })) take(*row);
}

void Engine::interrupt() noexcept {
  duckdb_interrupt(connection_);
  const std::lock_guard lock(reading_);
  for (const duckdb_connection reader : readers_) duckdb_interrupt(reader);
}

std::optional<double> Engine::progress() noexcept {
  const double percent = duckdb_query_progress(connection_).percentage;
  return percent < 0 ? std::nullopt : std::optional(percent / 100);
}

// In this order: the answer goes before its connection.
struct Engine::Rows::State {
  explicit State(Engine& of) : engine(of), before(of.failures()) {
    if (duckdb_connect(engine.database_, &connection.handle) != DuckDBSuccess)
      throw SqlError("DuckDB gives no connection");
    const std::lock_guard lock(engine.reading_);
    engine.readers_.insert(connection.handle);
  }
  ~State() {
    const std::lock_guard lock(engine.reading_);
    engine.readers_.erase(connection.handle);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Engine& engine;
  const std::uint64_t before;
  Connection connection;
  Prepared prepared;
  Answer answer;
  std::optional<Reading> reading;
};

Engine::Rows::Rows(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Rows::~Rows() = default;

const Engine::Row* Engine::Rows::next() {
  return state_->engine.with_failures(state_->before, [&] { return state_->reading->next(); });
}

std::unique_ptr<Engine::Rows> Engine::open(const std::string& sql) {
  auto state = std::make_unique<Rows::State>(*this);
  with_failures(state->before, [&] {
    execute(state->connection.handle, sql, state->prepared, state->answer);
  });
  state->reading.emplace(state->answer);
  return std::unique_ptr<Rows>(new Rows(std::move(state)));
}

}  // namespace segue::warehouse
