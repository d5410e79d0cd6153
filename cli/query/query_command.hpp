#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/query/answer_output.hpp"
#include "cli/query/queried_source.hpp"
#include "cli/query/saved_queries.hpp"
#include "cli/reading_options.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl query [SQL] [SOURCE]`: SQL over an archive, the tail behind it, or another source, by
// DuckDB within the process. Without SQL a shell on a terminal.
class QueryCommand {
 public:
  explicit QueryCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, RemoteError, SqlError.
  int run();

 private:
  void add_query_options();
  QueriedParts parts();
  std::string sql_text() const;
  int answer(QueriedSource& source, const std::string& sql);

  CLI::App* command_;
  std::string sql_;
  ReadingOptions reading_;
  AnswerForm form_ = AnswerForm::table;
  std::string path_;  // where the answer goes; empty: standard output
  std::vector<std::string> parameters_;
  std::optional<std::string> queries_;  // folder of saved ones
  std::optional<std::int64_t> since_;
  bool no_tail_ = false;
};

}  // namespace segue::cli
