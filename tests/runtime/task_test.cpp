#include "runtime/task.hpp"

#include <catch2/catch_test_macros.hpp>
#include <coroutine>
#include <stdexcept>
#include <vector>

#include "runtime/task_group.hpp"

namespace segue::runtime {
namespace {

// Suspends whoever awaits it until the test says go on.
struct Gate {
  std::vector<std::coroutine_handle<>> waiting;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { waiting.push_back(waiter); }
  void await_resume() const noexcept {}
  void open() {
    auto now = std::move(waiting);
    waiting.clear();
    for (auto waiter : now) waiter.resume();
  }
};

Task<int> three() {
  co_return 3;
}

Task<int> three_later(Gate& gate) {
  co_await gate;
  co_return 3;
}

Task<void> add_to(int& sum, Gate& gate) {
  sum += co_await three();
  sum += co_await three_later(gate);
}

TEST_CASE("a task that never waits hands its result over at once") {
  TaskGroup group;
  int sum = 0;
  Gate gate;
  group.spawn(add_to(sum, gate));
  CHECK(sum == 3);
  CHECK(group.size() == 1);
  gate.open();
  CHECK(sum == 6);
  CHECK(group.size() == 0);
}

Task<void> count_to(int& count, int limit) {
  while (count < limit) {
    const int step = co_await three();
    count += step - 2;
  }
}

TEST_CASE("a million awaits of ready tasks do not grow the stack") {
  TaskGroup group;
  int count = 0;
  group.spawn(count_to(count, 1'000'000));
  CHECK(count == 1'000'000);
}

Task<int> throwing(Gate& gate) {
  co_await gate;
  throw std::bad_alloc();
}

Task<void> catching(Gate& gate, bool& caught) {
  try {
    co_await throwing(gate);
  } catch (const std::bad_alloc&) {
    caught = true;
  }
}

Task<void> letting_through(Gate& gate) {
  co_await throwing(gate);
}

TEST_CASE("an exception reaches the one that awaits, and the group counts what nobody caught") {
  TaskGroup group;
  Gate gate;
  bool caught = false;
  group.spawn(catching(gate, caught));
  group.spawn(letting_through(gate));
  gate.open();
  CHECK(caught);
  CHECK(group.failed() == 1);
  CHECK(group.size() == 0);
}

TEST_CASE("a group counts its tasks until they end") {
  TaskGroup group;
  Gate gate;
  int sum = 0;
  group.spawn(add_to(sum, gate));
  group.spawn(add_to(sum, gate));
  CHECK(group.size() == 2);
  gate.open();
  CHECK(group.size() == 0);
}

Task<void> side(Gate& gate, std::vector<char>& order) {
  order.push_back('a');
  co_await gate;
  order.push_back('c');
}

Task<void> main_side(Gate& gate, std::vector<char>& order) {
  Fork fork;
  fork.start(side(gate, order));
  order.push_back('b');
  co_await fork.join();
  order.push_back('d');
  fork.start(side(gate, order));
  co_await fork.join();
}

TEST_CASE("a fork runs beside its maker until it is joined") {
  TaskGroup group;
  Gate gate;
  std::vector<char> order;
  group.spawn(main_side(gate, order));
  CHECK(order == std::vector<char>{'a', 'b'});
  gate.open();
  CHECK(order == std::vector<char>{'a', 'b', 'c', 'd', 'a'});
  gate.open();
  CHECK(group.size() == 0);
}

Task<void> join_failing(Gate& gate, bool& caught) {
  Fork fork;
  fork.start(letting_through(gate));
  try {
    co_await fork.join();
  } catch (const std::bad_alloc&) {
    caught = true;
  }
}

TEST_CASE("what leaves a fork reaches the one that joins") {
  TaskGroup group;
  Gate gate;
  bool caught = false;
  group.spawn(join_failing(gate, caught));
  gate.open();
  CHECK(caught);
}

}  // namespace
}  // namespace segue::runtime
