#include "tests/warehouse/upkeep/killed.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <utility>

#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"

namespace segue::warehouse {

using namespace test;

Killed::Killed(ObjectStore& store, std::vector<std::string> opening)
    : store_(store), opening_(std::move(opening)) {}

// What lies where: changes with each object that is made, replaced or removed.
std::size_t Killed::look() {
  std::string text;
  store_.list("", "", [&](const StoredObject& object) {
    text += fmt::format("{} {}\n", object.key, object.bytes);
  });
  return std::hash<std::string>{}(text);
}

std::vector<std::string> Killed::command(const std::string& what, const std::string& about) const {
  std::vector<std::string> line{SEGUE_UPKEEP_VICTIM, staging_.path().string(), what, about};
  line.insert(line.end(), opening_.begin(), opening_.end());
  return line;
}

void Killed::run(const std::string& what, const std::string& about, unsigned times,
                 const std::function<void()>& meanwhile, const std::function<void()>& between) {
  std::uniform_int_distribution<int> changes(0, 20);
  for (unsigned round = 0; round < times; ++round) {
    std::size_t before = look();
    Process victim(command(what, about), staging_ / "out");
    const Deadline soon{std::chrono::seconds(3)};  // it may be over before
    for (int left = changes(random_); left > 0 && soon.left() > 0;) {
      meanwhile();
      const std::size_t now = look();
      left -= now == before ? 0 : 1;
      before = now;
    }
    victim.signal(SIGKILL);
    const ProcessEnd end = victim.wait();
    INFO(victim.errors());
    CHECK((end.signal == SIGKILL || end.exit_code == 0));
    between();
  }
  const CommandResult last = run_command(command(what, about));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  between();
}

}  // namespace segue::warehouse
