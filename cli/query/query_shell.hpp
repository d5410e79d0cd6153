#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/query/answer_output.hpp"
#include "cli/query/line_editor.hpp"
#include "cli/query/queried_source.hpp"

namespace segue::cli {

// `seguectl query` on a terminal: statements that end with a semicolon, over as many lines as they
// take, and commands that begin with a dot. Ctrl-C ends a statement or a line, Ctrl-D the shell.
class QueryShell {
 public:
  // `queries`: folder of saved queries; none: the usual one. The source outlives it.
  QueryShell(QueriedSource& source, std::optional<std::string> queries, AnswerForm form);

  // Until its user leaves. The exit code.
  int run();

 private:
  enum class Next { go_on, leave };
  using Words = std::vector<std::string>;
  struct Command {
    const char* usage;
    const char* about;
    Next (QueryShell::*run)(const Words& words);
  };
  static const std::map<std::string, Command, std::less<>>& commands();

  Next take(const std::string& line);
  Next command(const std::string& line);
  void ask(const std::string& sql);
  void run_statements();
  // Whatever goes wrong is told, and the shell goes on.
  template <class Work>
  void guarded(const Work& work);
  std::vector<std::string> completions(std::string_view begun);

  Next help(const Words& words);
  Next tables(const Words& words);
  Next schema(const Words& words);
  Next output(const Words& words);
  Next timer(const Words& words);
  Next read(const Words& words);
  Next saved(const Words& words);
  Next quit(const Words& words);

  QueriedSource& source_;
  const std::optional<std::string> queries_;
  AnswerForm form_;
  std::string path_;     // where answers go; empty: the terminal
  bool timer_ = true;
  std::string pending_;  // lines of a statement that has not ended
  std::vector<std::string> words_;  // to complete to, beyond the dot commands
  LineEditor editor_;
};

}  // namespace segue::cli
