#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

enum class ShopKind : std::uint8_t {
  legacy,  // PHP over SQLite, one request at a time
  fresh,   // Node
};

// One of the demo's shops as a backend: the same program, on a free port, with a database of its
// own. Ready when constructed, killed at the end of its scope.
class Shop {
 public:
  explicit Shop(ShopKind kind);
  std::uint16_t port() const { return port_; }

 private:
  // The port is the one that its first announcement names.
  void start(const std::vector<std::string>& command);

  TempDir folder_;
  std::optional<Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace segue::test
