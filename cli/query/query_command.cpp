#include "cli/query/query_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <thread>

#include "cli/exchange_reader.hpp"
#include "cli/exchange_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "cli/progress.hpp"
#include "cli/word_option.hpp"
#include "warehouse/sql/exchange_table.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::cli {
namespace {

using warehouse::Engine;
using warehouse::ExchangeSource;

// A source as the engine scans it: FINISH records are joined to their exchanges.
class RecordedExchanges : public ExchangeSource {
 public:
  RecordedExchanges(const Source& source, ReadingOptions& reading, const Finishes& finishes)
      : reading_(reading),
        finishes_(finishes),
        reader_(source, {}),
        progress_(fmt::format("reading {}", source.name())) {}
  ~RecordedExchanges() override {
    progress_.wipe();
    reader_.tell_damage();
  }

  const v1::Exchange* next() override {
    while (v1::Exchange* const exchange = reader_.next()) {
      reader_.show(progress_);
      if (exchange->kind() == v1::KIND_FINISH) continue;
      if (const auto finish = finishes_.find(exchange->id()); finish != finishes_.end())
        join_finish(*exchange, finish->second);
      reading_.unseal(*exchange);
      return exchange;
    }
    return nullptr;
  }

 private:
  ReadingOptions& reading_;
  const Finishes& finishes_;
  ExchangeReader reader_;
  Progress progress_;
};

// Ends the statement that runs when Ctrl-C comes.
class Interrupter {
 public:
  explicit Interrupter(Engine& engine)
      : thread_([&engine](const std::stop_token& stop) {
          while (!stop.stop_requested() && wait_a_while() != Woken::interrupt) {
          }
          if (interrupted()) engine.interrupt();
        }) {}

 private:
  std::jthread thread_;
};

std::string text_of(const std::string& sql) {
  if (sql != "-") return sql;
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

}  // namespace

QueryCommand::QueryCommand(CLI::App& program)
    : command_(program.add_subcommand("query", "SQL over the exchanges of a source")) {
  command_->add_option("SQL", sql_, "One statement; - reads it from standard input")->required();
  reading_.add_to(*command_);
  add_word_option<AnswerForm>(*command_, "-o,--output", form_,
                              {{"table", AnswerForm::table},
                               {"json", AnswerForm::json},
                               {"csv", AnswerForm::csv},
                               {"parquet", AnswerForm::parquet}},
                              "table, json (one object a line), csv, or parquet (with --out)")
      ->envname("SEGUE_OUTPUT");
  command_->add_option("--out", path_, "File that the answer is written to")->type_name("FILE");
}

bool QueryCommand::chosen() const { return command_->parsed(); }

int QueryCommand::run() {
  const Source source = reading_.source();
  Engine engine;
  const Finishes finishes = gather_finishes(source, 0);
  warehouse::add_exchanges(engine, [&] {
    return std::make_unique<RecordedExchanges>(source, reading_, finishes);
  });
  warehouse::add_views(engine);
  listen_for_interrupts();
  const Interrupter interrupter(engine);
  try {
    write_answer(engine, text_of(sql_), form_, path_);
  } catch (const warehouse::SqlError&) {
    if (interrupted()) return kInterrupted;
    throw;
  }
  reading_.tell_closed();
  return kClean;
}

}  // namespace segue::cli
