#include "cli/query/answer_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/exchange_text.hpp"
#include "cli/output.hpp"
#include "cli/query/statement_text.hpp"
#include "cli/text_column.hpp"
#include "exchange/error.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::cli {
namespace {

using warehouse::AnswerColumn;
using warehouse::ColumnKind;
using warehouse::Engine;
using warehouse::SqlError;

constexpr std::size_t kWidest = 80;          // of a table's cell; json and csv have it whole
constexpr std::size_t kMeasuredRows = 1000;  // that decide how wide columns are

// The answer by name, whatever ends the statement: a semicolon, a comment.
constexpr const char* kAnswer = "segue_answer";

// Rows gathered until it is known how wide the columns are, then written as they come.
class Table {
 public:
  Table(const std::vector<AnswerColumn>& columns, const std::function<void()>& rows_come)
      : columns_(columns), rows_come_(rows_come) {
    for (const AnswerColumn& column : columns) widths_.push_back(text_width(column.name));
  }

  void add(const Engine::Row& row) {
    std::vector<std::string> cells;
    for (const std::string_view value : row)
      cells.push_back(value.data() == nullptr ? std::string() : printable(value));
    ++rows_;
    if (written_) return write(cells);
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], std::min(text_width(cells[i]), kWidest));
    held_.push_back(std::move(cells));
    if (held_.size() == kMeasuredRows) write_held();
  }

  void end() {
    if (!written_) write_held();
    write_out(fmt::format("({} row{})\n", rows_, rows_ == 1 ? "" : "s"));
  }

 private:
  void write_held() {
    written_ = true;
    rows_come_();
    std::vector<std::string> names;
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      names.push_back(columns_[i].name);
      line += fmt::format("{}{:->{}}", i == 0 ? "" : "  ", "", widths_[i]);
    }
    write(names);
    write_out(line + "\n");
    for (const auto& cells : held_) write(cells);
    held_ = {};
  }

  void write(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i != 0) line += "  ";
      const bool last = i + 1 == cells.size();
      const std::string cell = text_column(cells[i], widths_[i]);
      if (columns_[i].kind == ColumnKind::number)
        line += std::string(widths_[i] - std::min(widths_[i], text_width(cells[i])), ' ') +
                (text_width(cells[i]) > widths_[i] ? cell : cells[i]);
      else
        line += last ? cell.substr(0, cell.find_last_not_of(' ') + 1) : cell;
    }
    write_out(line + "\n");
  }

  const std::vector<AnswerColumn>& columns_;
  const std::function<void()>& rows_come_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> held_;
  bool written_ = false;
  std::uint64_t rows_ = 0;
};

void write_table(Engine& engine, const std::vector<AnswerColumn>& columns,
                 const std::function<void()>& rows_come) {
  Table table(columns, rows_come);
  engine.ask(fmt::format("SELECT COLUMNS(*)::VARCHAR FROM {}", kAnswer),
             [&table](const Engine::Row& row) { table.add(row); });
  table.end();
}

void write_json(Engine& engine, const std::function<void()>& rows_come) {
  bool first = true;
  // By a name that no column has: it would be taken for the column.
  engine.ask(fmt::format("SELECT to_json({0})::VARCHAR FROM {0}", kAnswer),
             [&](const Engine::Row& row) {
               if (std::exchange(first, false)) rows_come();
               write_out(fmt::format("{}\n", row.front()));
             });
}

void copy_to(Engine& engine, AnswerForm form, const std::string& path) {
  const char* const how = form == AnswerForm::parquet ? "FORMAT parquet, COMPRESSION zstd"
                          : form == AnswerForm::json  ? "FORMAT json"
                                                      : "FORMAT csv, HEADER";
  engine.run(fmt::format("COPY {} TO {} ({})", kAnswer, warehouse::sql_literal(path), how));
}

std::string first_word(std::string_view text) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto begin = std::ranges::find_if(text, is_letter);
  std::string word(begin, std::find_if_not(begin, text.end(), is_letter));
  std::ranges::transform(word, word.begin(), [](char c) { return static_cast<char>(c | 0x20); });
  return word;
}

// What only tells of tables is no query that a view can have, but one can be read from it.
std::string as_query(const std::string& sql) {
  const std::string word = first_word(sql);
  if (word != "describe" && word != "desc" && word != "show" && word != "summarize") return sql;
  const StatementTexts texts = split_statements(sql);
  return fmt::format("FROM ({}\n)", texts.whole.empty() ? texts.rest : texts.whole.front());
}

}  // namespace

void write_answer(Engine& engine, const std::string& sql, AnswerForm form, const std::string& path,
                  const std::function<void()>& rows_come) {
  const Engine::Statement statement = engine.look_at(sql);
  if (!statement.selects)
    throw SqlError("only statements that give rows are run here: SELECT, FROM, DESCRIBE, ...");
  if (form == AnswerForm::parquet && path.empty())
    throw StartupError("Parquet is written to a file: say which with --out FILE");
  if (form == AnswerForm::table && !path.empty())
    throw StartupError("--out takes json, csv or parquet: say which with -o");
  engine.run(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", kAnswer, as_query(sql)));
  if (form == AnswerForm::table) return write_table(engine, statement.columns, rows_come);
  if (form == AnswerForm::json && path.empty()) return write_json(engine, rows_come);
  flush_out();
  if (path.empty()) rows_come();
  copy_to(engine, form, path.empty() ? "/dev/stdout" : path);
}

}  // namespace segue::cli
