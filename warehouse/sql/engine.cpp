#include "warehouse/sql/engine.hpp"

#include <algorithm>
#include <utility>

#include "exchange/error.hpp"

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
using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;

// DuckDB draws a caret under the place in a copy of the statement; a person gets the first line.
SqlError sql_error(const char* text) {
  std::string line = text == nullptr ? "the statement failed" : text;
  line = line.substr(0, line.find("\n\n"));
  std::ranges::replace(line, '\n', ' ');
  return SqlError(line);
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

}  // namespace

Engine::Engine() {
  Config config;
  duckdb_create_config(&config.handle);
  set(config.handle, "autoinstall_known_extensions", "false");
  set(config.handle, "autoload_known_extensions", "false");
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
}

Engine::~Engine() {
  duckdb_disconnect(&connection_);
  duckdb_close(&database_);
}

void Engine::run(const std::string& sql) {
  Answer answer;
  if (duckdb_query(connection_, sql.c_str(), &answer.handle) != DuckDBSuccess)
    throw sql_error(duckdb_result_error(&answer.handle));
}

Engine::Statement Engine::look_at(const std::string& sql) {
  Prepared prepared;
  prepare(connection_, sql, prepared);
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
  Prepared prepared;
  prepare(connection_, sql, prepared);
  Answer answer;
  if (duckdb_execute_prepared_streaming(prepared.handle, &answer.handle) != DuckDBSuccess)
    throw sql_error(duckdb_result_error(&answer.handle));
  const idx_t columns = duckdb_column_count(&answer.handle);
  Row row(columns);
  for (;;) {
    Chunk chunk;
    chunk.handle = duckdb_fetch_chunk(answer.handle);
    if (chunk.handle == nullptr) break;
    const idx_t rows = duckdb_data_chunk_get_size(chunk.handle);
    for (idx_t r = 0; r < rows; ++r) {
      for (idx_t c = 0; c < columns; ++c) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.handle, c);
        auto* const values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
        std::uint64_t* const validity = duckdb_vector_get_validity(vector);
        const bool there = validity == nullptr || duckdb_validity_row_is_valid(validity, r);
        row[c] = there ? text_at(values[r]) : std::string_view{};
      }
      take(row);
    }
  }
  if (const char* const why = duckdb_result_error(&answer.handle)) throw sql_error(why);
}

}  // namespace segue::warehouse
