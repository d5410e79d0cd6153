#include "warehouse/sql/finished_outcome.hpp"

#include <duckdb.h>

#include <mutex>
#include <utility>

namespace segue::warehouse {
namespace {

constexpr std::string_view kCompleted = "COMPLETED";

struct Finishes {
  Engine& engine;
  const std::shared_ptr<FoundOutcomes> found;
};

void destroy(void* finishes) { delete static_cast<Finishes*>(finishes); }

bool is_there(std::uint64_t* validity, idx_t row) {
  return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
}

std::string_view text_at(duckdb_vector vector, idx_t row) {
  auto* const values = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  return {duckdb_string_t_data(&values[row]), duckdb_string_t_length(values[row])};
}

void write(const FinishedOutcomes& outcomes, duckdb_data_chunk input, duckdb_vector into) {
  const duckdb_vector ids = duckdb_data_chunk_get_vector(input, 0);
  const duckdb_vector given = duckdb_data_chunk_get_vector(input, 1);
  std::uint64_t* const ids_there = duckdb_vector_get_validity(ids);
  std::uint64_t* const given_there = duckdb_vector_get_validity(given);
  const idx_t rows = duckdb_data_chunk_get_size(input);
  for (idx_t row = 0; row < rows; ++row) {
    if (!is_there(given_there, row)) {
      duckdb_vector_ensure_validity_writable(into);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(into), row);
      continue;
    }
    std::string_view outcome = text_at(given, row);
    if (outcome == kCompleted && is_there(ids_there, row))
      if (const auto found = outcomes.find(text_at(ids, row)); found != outcomes.end())
        outcome = found->second;
    duckdb_vector_assign_string_element_len(into, row, outcome.data(), outcome.size());
  }
}

// No exception may pass through DuckDB's C interface.
void finished_outcome(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector into) {
  auto* const finishes = static_cast<Finishes*>(duckdb_scalar_function_get_extra_info(info));
  try {
    const auto outcomes = finishes->found->get();
    if (outcomes->empty())
      return duckdb_vector_reference_vector(into, duckdb_data_chunk_get_vector(input, 1));
    write(*outcomes, input, into);
  } catch (const std::exception& error) {
    finishes->engine.note_failure(std::current_exception());
    duckdb_scalar_function_set_error(info, error.what());
  }
}

}  // namespace

std::shared_ptr<const FinishedOutcomes> FoundOutcomes::get() {
  const std::lock_guard lock(finding_);
  if (!outcomes_) outcomes_ = std::make_shared<const FinishedOutcomes>(find_());
  return outcomes_;
}

void FoundOutcomes::forget() {
  const std::lock_guard lock(finding_);
  outcomes_.reset();
}

std::shared_ptr<FoundOutcomes> add_finished_outcome(Engine& engine,
                                                    std::function<FinishedOutcomes()> find,
                                                    const char* name) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
  duckdb_scalar_function_set_name(function, name);
  duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_add_parameter(function, text);
  duckdb_scalar_function_set_return_type(function, text);
  duckdb_scalar_function_set_special_handling(function);  // NULL in, NULL out is ours to say
  duckdb_scalar_function_set_function(function, finished_outcome);
  auto found = std::make_shared<FoundOutcomes>(std::move(find));
  auto* const finishes = new Finishes{.engine = engine, .found = found};
  duckdb_scalar_function_set_extra_info(function, finishes, destroy);
  const duckdb_state registered =
      duckdb_register_scalar_function(engine.connection(), function);
  duckdb_destroy_logical_type(&text);
  duckdb_destroy_scalar_function(&function);
  if (registered != DuckDBSuccess) throw SqlError(std::string("DuckDB takes no function ") + name);
  return found;
}

}  // namespace segue::warehouse
