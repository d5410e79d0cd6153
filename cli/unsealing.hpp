#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "recorder/exchange.pb.h"
#include "recorder/redaction/seal.hpp"
#include "recorder/settings.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// Opens what `encrypt` has sealed, for commands that were asked to. Only those who say so see it:
// without --unseal or --key everything stays as it is on record. One thread.
class Unsealing {
 public:
  // Adds --unseal (with the keys of the configuration) and --key NAME=FILE to a command.
  void add_to(CLI::App& command);

  // Whether the command line asks for it.
  bool wanted() const { return from_configuration_ || !key_files_.empty(); }

  // Reads the keys, once, before the first unseal(). A key of the command line goes before one of
  // the configuration. Throws StartupError: a key that cannot be read, or no key at all.
  void prepare(const recorder::KeySettings& configured);

  // Puts back what the keys open, and takes it from the list of redactions when nothing is left
  // closed. Does nothing unless prepared.
  void unseal(v1::Exchange& exchange);

  // Values that stayed closed so far: their key is not here, or they are cut or damaged.
  std::uint64_t closed() const { return closed_; }

 private:
  bool from_configuration_ = false;
  std::vector<std::string> key_files_;
  std::unique_ptr<recorder::Opener> opener_;
  std::uint64_t closed_ = 0;
};

}  // namespace segue::cli
