#pragma once

#include <cstdint>
#include <string>

#include "cli/query/answer_output.hpp"
#include "cli/reading_options.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl query SQL [SOURCE]`: SQL over the exchanges of a source, by DuckDB within the process.
class QueryCommand {
 public:
  explicit QueryCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, RemoteError, SqlError.
  int run();

 private:
  CLI::App* command_;
  std::string sql_;
  ReadingOptions reading_;
  AnswerForm form_ = AnswerForm::table;
  std::string path_;  // where the answer goes; empty: standard output
};

}  // namespace segue::cli
