#pragma once

#include <string>

#include "cli/colour.hpp"
#include "cli/journal/journal_place.hpp"
#include "cli/reading_options.hpp"

namespace segue::cli {

// `seguectl journal status [SOURCE]`: runs, lanes, segments, and how far its consumers are. 0.
class JournalStatusCommand {
 public:
  explicit JournalStatusCommand(CLI::App& journal);
  bool chosen() const;
  int run();

 private:
  CLI::App* command_;
  JournalPlace place_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
};

// `seguectl journal verify [SOURCE]`: reads every frame, also while a gateway writes. 1: something is
// damaged or missing, and it says what.
class JournalVerifyCommand {
 public:
  explicit JournalVerifyCommand(CLI::App& journal);
  bool chosen() const;
  int run();

 private:
  CLI::App* command_;
  JournalPlace place_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
};

// `seguectl journal drop-consumer NAME [SOURCE]`: nothing is kept for a consumer any more that
// registered itself. Without --yes it only says what that would be: 1. One that a gateway is
// configured for, or whose process runs, is refused: 2.
class JournalDropConsumerCommand {
 public:
  explicit JournalDropConsumerCommand(CLI::App& journal);
  bool chosen() const;
  int run();

 private:
  CLI::App* command_;
  std::string name_;
  JournalPlace place_;
  bool yes_ = false;
};

}  // namespace segue::cli
