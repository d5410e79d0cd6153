#include "cli/cat.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/exchange_reader.hpp"
#include "cli/exchange_text.hpp"
#include "cli/listing.hpp"
#include "cli/progress.hpp"
#include "cli/whole_number.hpp"

namespace segue::cli {

CatCommand::CatCommand(CLI::App& program)
    : command_(program.add_subcommand("cat", "Every exchange of a source, in order")) {
  reading_.add_to(*command_);
  filters_.add_to(*command_);
  add_output_option(*command_, form_);
  command_->add_option("--limit", limit_, "Stop after so many")->check(whole_number(1));
}

bool CatCommand::chosen() const { return command_->parsed(); }

int CatCommand::run() {
  const Source source = reading_.source();
  filters_.prepare(source.journal, source.keys);
  const Finishes finishes = gather_finishes(source, filters_.since());
  ExchangeReader reader(source, {filters_.since(), 0, 0, ReadRange::Until::now,
                                 filters_.condition(), {}});
  Progress progress(fmt::format("reading {}", source.name()));
  Listing listing(form_, reading_.paint());
  std::uint64_t printed = 0;
  while (v1::Exchange* const exchange = reader.next()) {
    reader.show(progress);
    if (exchange->kind() == v1::KIND_FINISH && !filters_.wants_finishes()) continue;
    if (const auto finish = finishes.find(exchange->id()); finish != finishes.end())
      join_finish(*exchange, finish->second);
    if (!filters_.matches(*exchange)) continue;
    progress.wipe();
    reading_.unseal(*exchange);
    listing.print(*exchange);
    if (++printed == limit_) break;
  }
  progress.wipe();
  listing.flush();
  reader.tell_damage();
  reading_.tell_closed();
  return 0;
}

}  // namespace segue::cli
