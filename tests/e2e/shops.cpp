#include "tests/e2e/shops.hpp"

#include <fmt/format.h>

#include <charconv>

namespace segue::test {
namespace {

constexpr std::string_view kAddress = "127.0.0.1:";

std::string demo_file(std::string_view name) {
  return fmt::format("{}/demo/{}", SEGUE_SOURCE_DIR, name);
}

}  // namespace

Shop::Shop(ShopKind kind) {
  if (kind == ShopKind::fresh) {
    start({"env", "SHOP_PORT=0", "node", demo_file("new/server.js")});
    return;
  }
  const std::string database = fmt::format("SHOP_DB={}", (folder_ / "shop.sqlite").string());
  const std::string program = demo_file("legacy/index.php");
  run_command({"env", database, "php", program});  // makes the tables
  start({"env", database, "php", "-q", "-S", "127.0.0.1:0", program});
}

void Shop::start(const std::vector<std::string>& command) {
  process_.emplace(command, folder_ / "stdout");
  const Deadline deadline;
  while (const auto line = process_->next_error_line(deadline)) {
    const auto at = line->find(kAddress);
    if (at == std::string::npos) continue;
    const auto digits = std::string_view(*line).substr(at + kAddress.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), port_);
    return;
  }
  throw TestFailure("the shop did not start:\n" + process_->errors());
}

}  // namespace segue::test
