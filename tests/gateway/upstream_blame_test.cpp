// What a pool holds against an endpoint that takes no connection, on a core and sockets of their own.
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <future>

#include "gateway/upstream/upstream.hpp"
#include "runtime/core.hpp"
#include "runtime/task_group.hpp"
#include "tests/gateway/scripted_names.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::gateway {
namespace {

using runtime::MonotonicNs;
using runtime::Task;

constexpr MonotonicNs kHour = 3'600'000'000'000;

struct Failed {
  boost::system::error_code code;
  bool names_endpoint = false;
};

Task<void> try_it(Upstream& upstream, MonotonicNs fair, std::promise<Failed>& done) {
  const auto expiry = runtime::after(runtime::monotonic_now(), milliseconds{30});
  const auto acquired = co_await upstream.acquire(Reuse::any, expiry, {}, fair);
  Failed failed;
  if (!acquired) failed = {acquired.error().code, acquired.error().endpoint != nullptr};
  done.set_value(failed);
}

// A backend at a name; one failure ejects its endpoint.
BackendSettings strict_backend(std::uint16_t port) {
  BackendSettings backend;
  backend.endpoints.push_back({"shop.test", port, {}});
  backend.timeouts.connect = std::chrono::hours{1};
  backend.ejection.after = 1;
  return backend;
}

class StrictPool {
 public:
  StrictPool(const std::shared_ptr<ScriptedNames>& names, std::uint16_t port)
      : settings_(strict_backend(port)), fleet_({settings_}, names->lookup()), core_(0) {
    upstream_ = std::make_unique<Upstream>(core_, buffers_, settings_, plain_, counts_,
                                           UpstreamPlace{fleet_, 0, 1, Verdicts::given});
    core_.start();
  }
  ~StrictPool() {
    core_.stop();
    core_.join();
  }

  // Asks for a connection with little time left.
  Failed hurry(MonotonicNs fair) {
    std::promise<Failed> done;
    auto failed = done.get_future();
    core_.post([&] { tasks_.spawn(try_it(*upstream_, fair, done)); });
    if (failed.wait_for(test::kPatience) != std::future_status::ready)
      throw test::TestFailure("nothing came of it");
    return failed.get();
  }
  std::uint64_t ejections() { return fleet_.health.of(0, 0).ejections(); }

 private:
  BackendSettings settings_;
  Fleet fleet_;
  BackendCounts counts_;
  const std::optional<runtime::TlsContext> plain_;
  runtime::Core core_;
  runtime::BufferPool buffers_;
  std::unique_ptr<Upstream> upstream_;
  runtime::TaskGroup tasks_;
};

void check_blame(StrictPool& pool) {
  const Failed cut_short = pool.hurry(kHour);
  CHECK(cut_short.code == boost::asio::error::timed_out);
  CHECK_FALSE(cut_short.names_endpoint);
  CHECK(pool.ejections() == 0);
  const Failed had_its_time = pool.hurry(0);
  CHECK(had_its_time.code == boost::asio::error::timed_out);
  CHECK(had_its_time.names_endpoint);
  CHECK(pool.ejections() == 1);
}

TEST_CASE("a request that had no time left to connect holds nothing against the endpoint") {
  const test::Descriptor deaf = test::bound_socket();
  REQUIRE(::listen(deaf.get(), 0) == 0);
  const auto queued = test::Socket::connect(test::port_of(deaf));  // fills the queue
  const auto names = std::make_shared<ScriptedNames>();
  names->say("shop.test", {"127.0.0.1"});
  StrictPool pool(names, test::port_of(deaf));
  check_blame(pool);
}

TEST_CASE("a request that had no time left for the name holds nothing against the endpoint") {
  const auto names = std::make_shared<ScriptedNames>();
  names->hang("shop.test");
  StrictPool pool(names, test::closed_port());
  check_blame(pool);
  names->let_go();
}

}  // namespace
}  // namespace segue::gateway
