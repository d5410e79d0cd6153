#include "warehouse/sql/exchange_table.hpp"

#include <vector>

#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/sql/exchange_row.hpp"

namespace segue::warehouse {
namespace {

constexpr const char* kFunction = "recorded_exchanges";

// What the function is registered with.
struct Opening {
  Engine& engine;
  OpenSource open;
};

// One scan under way.
struct Scan {
  std::unique_ptr<ExchangeSource> source;
  std::vector<idx_t> columns;  // that the statement reads, in its order
  ExchangeRow row;
};

void destroy_open(void* open) { delete static_cast<Opening*>(open); }
void destroy_scan(void* scan) { delete static_cast<Scan*>(scan); }

void bind(duckdb_bind_info info) {
  for (const ExchangeColumn& column : exchange_columns()) {
    duckdb_logical_type type = column.logical_type();
    duckdb_bind_add_result_column(info, column.name, type);
    duckdb_destroy_logical_type(&type);
  }
}

// No exception may pass through DuckDB's C interface.
void init(duckdb_init_info info) {
  Opening& opening = *static_cast<Opening*>(duckdb_init_get_extra_info(info));
  try {
    auto scan = std::make_unique<Scan>();
    scan->source = opening.open();
    const idx_t count = duckdb_init_get_column_count(info);
    for (idx_t i = 0; i < count; ++i) scan->columns.push_back(duckdb_init_get_column_index(info, i));
    duckdb_init_set_max_threads(info, 1);
    duckdb_init_set_init_data(info, scan.release(), destroy_scan);
  } catch (const std::exception& error) {
    opening.engine.note_failure(std::current_exception());
    duckdb_init_set_error(info, error.what());
  }
}

void write(Scan& scan, duckdb_data_chunk chunk, idx_t at) {
  const auto columns = exchange_columns();
  for (std::size_t i = 0; i < scan.columns.size(); ++i) {
    const idx_t column = scan.columns[i];
    // COUNT(*) reads a row number and no column.
    if (column < columns.size())
      columns[column].write(scan.row, duckdb_data_chunk_get_vector(chunk, i), at);
  }
}

void next_chunk(duckdb_function_info info, duckdb_data_chunk chunk) {
  try {
    Scan& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
    const idx_t most = duckdb_vector_size();
    idx_t rows = 0;
    while (rows < most) {
      const v1::Exchange* const exchange = scan.source->next();
      if (exchange == nullptr) break;
      scan.row.read(*exchange);
      write(scan, chunk, rows++);
    }
    duckdb_data_chunk_set_size(chunk, rows);
  } catch (const std::exception& error) {
    static_cast<Opening*>(duckdb_function_get_extra_info(info))
        ->engine.note_failure(std::current_exception());
    duckdb_function_set_error(info, error.what());
  }
}

}  // namespace

void add_exchanges(Engine& engine, OpenSource open) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, kFunction);
  duckdb_table_function_set_extra_info(function, new Opening{engine, std::move(open)},
                                         destroy_open);
  duckdb_table_function_set_bind(function, bind);
  duckdb_table_function_set_init(function, init);
  duckdb_table_function_set_function(function, next_chunk);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const duckdb_state registered =
      duckdb_register_table_function(engine.connection(), function);
  duckdb_destroy_table_function(&function);
  if (registered != DuckDBSuccess) throw SqlError("DuckDB takes no table function");
  engine.run(std::string("CREATE VIEW exchanges AS SELECT * FROM ") + kFunction + "()");
}

}  // namespace segue::warehouse
