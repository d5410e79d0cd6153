#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/archive_exchanges.hpp"
#include "cli/reading_options.hpp"
#include "recorder/exchange.pb.h"

namespace CLI {
class App;
}

namespace segue::cli {

// The start of an exchange's id: 8 to 32 hexadecimal digits, dashes anywhere.
class IdPrefix {
 public:
  static constexpr std::size_t kFewest = 8;
  static std::optional<IdPrefix> parse(std::string_view text);

  bool matches(std::string_view raw_id) const;
  // The earliest moment that an id with this start can name, Unix microseconds.
  std::int64_t earliest() const;
  // All ids with this start.
  IdRange range() const;

 private:
  std::string digits_;  // lower case, no dashes
};

enum class ShowAs : std::uint8_t { text, json, curl, har };

// `seguectl show ID [SOURCE]`: one exchange, by its id or the start of it.
class ShowCommand {
 public:
  explicit ShowCommand(CLI::App& program);
  bool chosen() const;
  // The exit code: 1 when there is no such exchange, 2 when several begin like that. Throws
  // StartupError.
  int run();

 private:
  CLI::App* command_;
  ReadingOptions reading_;
  std::string id_;
  ShowAs as_ = ShowAs::text;
};

// For a person: request, both sides, timing, decision, redactions.
std::string exchange_page(const v1::Exchange& exchange);

}  // namespace segue::cli
