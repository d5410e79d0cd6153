#include "cli/tail.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/exchange_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "cli/whole_number.hpp"

namespace segue::cli {
namespace {

// Of so many exchanges that were printed, a FINISH that comes later is printed too.
constexpr std::size_t kRemembered = 65'536;

}  // namespace

TailCommand::TailCommand(CLI::App& program)
    : command_(program.add_subcommand("tail", "The last exchanges; -f follows")) {
  reading_.add_to(*command_);
  filters_.add_to(*command_);
  add_output_option(*command_, form_);
  command_->add_option("-n,--lines", lines_, "How many of the last ones")
      ->check(whole_number(0))
      ->capture_default_str();
  command_->add_option("--limit", limit_, "Stop after so many")->check(whole_number(1));
  command_->add_flag("-f,--follow", follow_, "Go on with what comes");
}

bool TailCommand::wanted(const v1::Exchange& exchange) const {
  if (exchange.kind() == v1::KIND_FINISH && !filters_.wants_finishes()) return false;
  return filters_.matches(exchange);
}

std::deque<v1::Exchange> TailCommand::last_of(ExchangeReader& reader) const {
  std::deque<v1::Exchange> last;
  Finishes finishes;
  while (v1::Exchange* const exchange = reader.next()) {
    if (exchange->kind() == v1::KIND_FINISH)
      finishes.insert_or_assign(exchange->parent_id(), *exchange);
    if (!wanted(*exchange)) continue;
    last.push_back(std::move(*exchange));
    if (last.size() > lines_) last.pop_front();
  }
  for (v1::Exchange& exchange : last)
    if (const auto finish = finishes.find(exchange.id()); finish != finishes.end())
      join_finish(exchange, finish->second);
  return last;
}

bool TailCommand::chosen() const { return command_->parsed(); }

int TailCommand::run() {
  const Source source = reading_.source();
  filters_.prepare(source.journal, source.keys);
  // The end of the source alone, and more of it only while that holds too few.
  std::unique_ptr<ExchangeReader> reader;
  std::deque<v1::Exchange> last;
  const auto until = follow_ ? ReadRange::Until::follow : ReadRange::Until::now;
  for (const unsigned part : {1U, 8U, 64U, 0U}) {
    // Of each partition as many as are wanted of all, for they may all be in one.
    const ReadRange range{filters_.since(), part,
                          part * std::max<std::uint64_t>(lines_, 1), until,
                          filters_.condition(), {}};
    reader = std::make_unique<ExchangeReader>(source, range);
    last = last_of(*reader);
    if (last.size() >= lines_) break;
  }
  Listing listing(form_, reading_.paint());
  bool more = true;
  for (v1::Exchange& exchange : last) more = more && print(exchange, listing);
  listing.flush();
  reader->tell_damage();
  if (!follow_) reading_.tell_closed();
  return follow_ && more ? follow(*reader, listing) : 0;
}

int TailCommand::follow(ExchangeReader& reader, Listing& listing) {
  listen_for_interrupts();
  for (;;) {
    while (v1::Exchange* const exchange = reader.next()) {
      const bool ours = exchange->kind() == v1::KIND_FINISH &&
                        printed_ids_.contains(exchange->parent_id());
      const bool more = (!ours && !wanted(*exchange)) || print(*exchange, listing);
      if (!more || interrupted()) break;
    }
    listing.flush();
    reader.tell_damage();
    if (printed_ == limit_ && limit_ != 0) return 0;
    switch (wait_a_while()) {
      case Woken::interrupt:
        return kInterrupted;
      case Woken::reader_gone:
        return 0;
      case Woken::time:
        break;
    }
  }
}

bool TailCommand::print(v1::Exchange& exchange, Listing& listing) {
  reading_.unseal(exchange);
  listing.print(exchange);
  if (printed_ids_.insert(exchange.id()).second) printed_order_.push_back(exchange.id());
  if (printed_order_.size() > kRemembered) {
    printed_ids_.erase(printed_order_.front());
    printed_order_.pop_front();
  }
  return ++printed_ != limit_;
}

}  // namespace segue::cli
