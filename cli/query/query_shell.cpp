#include "cli/query/query_shell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "cli/output.hpp"
#include "cli/query/saved_queries.hpp"
#include "cli/query/shell_words.hpp"
#include "cli/query/statement_text.hpp"
#include "cli/query/statement_watch.hpp"
#include "exchange/error.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::cli {
namespace {

using warehouse::Engine;

constexpr const char* kPrompt = "segue> ";
constexpr const char* kMore = "   ...> ";

const std::map<std::string, AnswerForm, std::less<>> kForms{{"table", AnswerForm::table},
                                                            {"json", AnswerForm::json},
                                                            {"csv", AnswerForm::csv},
                                                            {"parquet", AnswerForm::parquet}};

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return lowered;
}

}  // namespace

QueryShell::QueryShell(QueriedSource& source, std::optional<std::string> queries, AnswerForm form)
    : source_(source),
      queries_(std::move(queries)),
      form_(form == AnswerForm::parquet ? AnswerForm::table : form),
      editor_(state_file("query_history"),
              [this](std::string_view begun) { return completions(begun); }) {}

const std::map<std::string, QueryShell::Command, std::less<>>& QueryShell::commands() {
  static const std::map<std::string, Command, std::less<>> commands{
      {".help", {".help", "this list", &QueryShell::help}},
      {".tables", {".tables", "what can be asked", &QueryShell::tables}},
      {".schema", {".schema [TABLE]", "columns and their types", &QueryShell::schema}},
      {".output",
       {".output table|json|csv|parquet [FILE]", "how answers are written, and where to",
        &QueryShell::output}},
      {".timer", {".timer on|off", "say how long a statement took", &QueryShell::timer}},
      {".read", {".read FILE", "run the statements of a file", &QueryShell::read}},
      {".saved",
       {".saved [NAME [PARAM=VALUE...]]", "list saved queries, or run one", &QueryShell::saved}},
      {".quit", {".quit", "leave; Ctrl-D does it, too", &QueryShell::quit}},
  };
  return commands;
}

int QueryShell::run() {
  guarded([this] {
    source_.refresh();
    std::set<std::string> words;
    const auto add = [&words](const Engine::Row& row) { words.emplace(row.front()); };
    source_.engine().ask("SELECT keyword_name FROM duckdb_keywords()", add);
    source_.engine().ask("SELECT view_name FROM duckdb_views() WHERE NOT internal", add);
    source_.engine().ask("SELECT column_name FROM duckdb_columns() WHERE NOT internal", add);
    words_.assign(words.begin(), words.end());
  });
  fmt::print("Statements end with a semicolon; .help lists what else there is.\n");
  std::fflush(stdout);
  for (;;) {
    listen_again();
    const LineEditor::Read read = editor_.read(pending_.empty() ? kPrompt : kMore);
    if (read.end == LineEditor::End::end_of_input) break;
    if (read.end == LineEditor::End::interrupt) {
      pending_.clear();
      continue;
    }
    if (take(read.line) == Next::leave) return kClean;
  }
  fmt::print("\n");
  return kClean;
}

QueryShell::Next QueryShell::take(const std::string& line) {
  if (pending_.empty() && !says_something(line)) return Next::go_on;
  if (pending_.empty() && line.starts_with('.')) {
    editor_.remember(line);
    return command(line);
  }
  pending_ += line + '\n';
  run_statements();
  return Next::go_on;
}

// What has its semicolon is run; what follows waits for its own.
void QueryShell::run_statements() {
  StatementTexts texts = split_statements(pending_);
  if (texts.whole.empty()) return;
  std::string entry = std::exchange(pending_, says_something(texts.rest) ? texts.rest : "");
  entry.resize(entry.size() - texts.rest.size());
  // A comment to the end of a line would swallow what follows when lines become one.
  if (entry.find("--") == std::string::npos) std::ranges::replace(entry, '\n', ' ');
  editor_.remember(entry);
  for (const std::string& sql : texts.whole)
    if (says_something(sql)) ask(sql);
}

template <class Work>
void QueryShell::guarded(const Work& work) {
  try {
    work();
  } catch (const warehouse::SqlError& error) {
    flush_out();
    if (interrupted()) return fmt::print(stderr, "interrupted\n");
    fmt::print(stderr, "{}\n", error.what());
    if (!error.place().empty()) fmt::print(stderr, "{}\n", error.place());
  } catch (const std::exception& error) {
    flush_out();
    fmt::print(stderr, "{}\n", interrupted() ? "interrupted" : error.what());
  }
}

void QueryShell::ask(const std::string& sql) {
  guarded([&] {
    const auto begin = std::chrono::steady_clock::now();
    source_.refresh();
    {
      StatementWatch watch(source_.engine());
      write_answer(source_.engine(), sql, form_, path_, [&watch] { watch.rows_come(); });
    }
    flush_out();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    if (timer_) fmt::print(stderr, "{:.3f} s\n", spent.count());
  });
}

QueryShell::Next QueryShell::command(const std::string& line) {
  const auto words = shell_words(line);
  if (!words) {
    fmt::print(stderr, "a quote is not closed: write NAME='a value', or \\' for the character\n");
    return Next::go_on;
  }
  const auto found = commands().find(words->front());
  if (found != commands().end()) return (this->*found->second.run)(*words);
  fmt::print(stderr, "{} is no command here; .help lists those there are\n", words->front());
  return Next::go_on;
}

QueryShell::Next QueryShell::help(const Words&) {
  for (const auto& [name, command] : commands())
    fmt::print("{:<42} {}\n", command.usage, command.about);
  std::fflush(stdout);
  return Next::go_on;
}

QueryShell::Next QueryShell::tables(const Words&) {
  ask("SELECT view_name AS name FROM duckdb_views() WHERE NOT internal AND NOT temporary "
      "AND view_name <> 'compared' ORDER BY ALL");
  return Next::go_on;
}

QueryShell::Next QueryShell::schema(const Words& words) {
  const std::string of = words.size() > 1
                             ? fmt::format("= {}", warehouse::sql_literal(words[1]))
                             : std::string("IN ('exchanges', 'pairs', 'comparisons')");
  ask(fmt::format("SELECT table_name, column_name, data_type FROM duckdb_columns() "
                  "WHERE table_name {} ORDER BY table_name, column_index",
                  of));
  return Next::go_on;
}

QueryShell::Next QueryShell::output(const Words& words) {
  const auto form = words.size() > 1 ? kForms.find(words[1]) : kForms.end();
  const std::string path = words.size() > 2 ? words[2] : "";
  const bool wants_path = form != kForms.end() && form->second == AnswerForm::parquet;
  const bool takes_path = form != kForms.end() && form->second != AnswerForm::table;
  if (form == kForms.end() || (wants_path && path.empty()) || (!takes_path && !path.empty())) {
    fmt::print(stderr, "write .output table, .output json|csv [FILE] or .output parquet FILE\n");
    return Next::go_on;
  }
  form_ = form->second;
  path_ = path;
  return Next::go_on;
}

QueryShell::Next QueryShell::timer(const Words& words) {
  if (words.size() != 2 || (words[1] != "on" && words[1] != "off"))
    fmt::print(stderr, "write .timer on or .timer off\n");
  else
    timer_ = words[1] == "on";
  return Next::go_on;
}

QueryShell::Next QueryShell::read(const Words& words) {
  if (words.size() != 2) {
    fmt::print(stderr, "write .read FILE\n");
    return Next::go_on;
  }
  std::ifstream file(words[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    fmt::print(stderr, "{}: cannot be read\n", words[1]);
    return Next::go_on;
  }
  StatementTexts texts = split_statements(text);
  if (says_something(texts.rest)) texts.whole.push_back(texts.rest);
  for (const std::string& sql : texts.whole)
    if (says_something(sql) && !interrupted()) ask(sql);
  return Next::go_on;
}

QueryShell::Next QueryShell::saved(const Words& words) {
  guarded([&] {
    const auto folder = saved_queries_folder(queries_);
    if (words.size() == 1) {
      fmt::print("{}", list_of(saved_queries(folder)));
      std::fflush(stdout);
      return;
    }
    const std::string_view name = words[1];
    const SavedQuery query = saved_query(folder, name.substr(name.starts_with('@') ? 1 : 0));
    const QueryValues values = values_for(query, parse_values({words.begin() + 2, words.end()}));
    set_variables(source_.engine(), values);
    if (const auto account = values.find("account"); account != values.end())
      source_.set_accounts(account->second);
    ask(query.sql);
  });
  return Next::go_on;
}

QueryShell::Next QueryShell::quit(const Words&) { return Next::leave; }

std::vector<std::string> QueryShell::completions(std::string_view begun) {
  std::vector<std::string> found;
  if (begun.starts_with('.')) {
    for (const auto& [name, command] : commands())
      if (name.starts_with(begun)) found.push_back(name);
    return found;
  }
  const std::string wanted = lower(begun);
  for (const std::string& word : words_)
    if (!wanted.empty() && lower(word).starts_with(wanted)) found.push_back(word);
  return found;
}

}  // namespace segue::cli
