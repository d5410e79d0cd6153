// A pool of connections to a name, on a core of its own, with backends on real sockets.
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch_test_macros.hpp>
#include <future>

#include "gateway/upstream/upstream.hpp"
#include "runtime/core.hpp"
#include "runtime/task_group.hpp"
#include "tests/gateway/scripted_names.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::gateway {
namespace {

using runtime::Task;
using test::Event;

// What a request got.
struct Taken {
  std::string address;  // empty: no connection
  bool reused = false;
};

std::string address_of(const UpstreamConnection& connection) {
  boost::asio::ip::tcp::endpoint peer;
  std::memcpy(peer.data(), connection.peer.data(), connection.peer.size());
  return peer.address().to_string();
}

Task<void> take(Upstream& upstream, UpstreamLease& into, std::promise<Taken>& done) {
  const auto expiry = runtime::after(runtime::monotonic_now(), test::kPatience);
  auto acquired = co_await upstream.acquire(Reuse::any, expiry);
  Taken taken;
  if (acquired) {
    into = std::move(*acquired);
    taken = {address_of(*into), into->reused};
  }
  done.set_value(taken);
}

BackendSettings named_backend(std::uint16_t port) {
  BackendSettings backend;
  backend.endpoints.push_back({"shop.test", port, {}});
  backend.dns_refresh = milliseconds{1};
  backend.ejection.after = 1;
  backend.idle_time = std::chrono::minutes{10};
  return backend;
}

class NamedPool {
 public:
  explicit NamedPool(std::uint16_t port)
      : settings_(named_backend(port)), fleet_({settings_}, names->lookup()), core_(0) {
    upstream_ = std::make_unique<Upstream>(core_, buffers_, settings_, plain_, counts_,
                                           UpstreamPlace{fleet_, 0, 1, Verdicts::given});
    core_.start();
  }
  ~NamedPool() {
    give_back();
    core_.stop();
    core_.join();
  }

  // From here on the name stands for this address.
  void moves_to(const std::string& address) {
    names->say("shop.test", {address});
    names->wait_for_more_lookups("shop.test", 2);
  }
  Taken take() {
    std::promise<Taken> done;
    auto taken = done.get_future();
    core_.post([&] { tasks_.spawn(gateway::take(*upstream_, lease_, done)); });
    if (taken.wait_for(test::kPatience) != std::future_status::ready)
      throw test::TestFailure("no connection came");
    return taken.get();
  }
  void give_back() {
    core_.ask([this] { lease_.give_back(); });
  }
  bool available() { return fleet_.health.of(0, 0).available(runtime::monotonic_now()); }
  std::uint64_t open() {
    return core_.ask([this] { return counts_.open; });
  }

  const std::shared_ptr<ScriptedNames> names = std::make_shared<ScriptedNames>();

 private:
  BackendSettings settings_;
  Fleet fleet_;
  BackendCounts counts_;
  const std::optional<runtime::TlsContext> plain_;
  runtime::Core core_;
  runtime::BufferPool buffers_;
  std::unique_ptr<Upstream> upstream_;
  UpstreamLease lease_;
  runtime::TaskGroup tasks_;
};

// Says when its connection ends.
test::ScriptedBackend::Script watching(Event& ended) {
  return [&ended](test::BackendConnection& connection) {
    while (connection.request()) {
    }
    ended.set();
  };
}

TEST_CASE("idle connections to an address that the name no longer stands for are closed") {
  Event first_ended;
  Event second_ended;
  test::ScriptedBackend first(watching(first_ended));
  test::ScriptedBackend second(watching(second_ended),
                               test::bound_socket("127.0.0.2", first.port()));
  NamedPool pool(first.port());
  pool.moves_to("127.0.0.1");
  CHECK(pool.take().address == "127.0.0.1");
  pool.give_back();
  CHECK(pool.take().reused);
  pool.give_back();

  pool.moves_to("127.0.0.2");
  first_ended.wait();  // also when no request comes
  const Taken taken = pool.take();
  CHECK(taken.address == "127.0.0.2");
  CHECK_FALSE(taken.reused);
  pool.give_back();
  CHECK(pool.take().reused);
}

TEST_CASE("a connection that was in use when the address went is closed when it is given back") {
  Event first_ended;
  Event second_ended;
  test::ScriptedBackend first(watching(first_ended));
  test::ScriptedBackend second(watching(second_ended),
                               test::bound_socket("127.0.0.2", first.port()));
  NamedPool pool(first.port());
  pool.moves_to("127.0.0.1");
  CHECK(pool.take().address == "127.0.0.1");
  pool.moves_to("127.0.0.2");
  CHECK(pool.open() == 1);
  pool.give_back();
  CHECK(pool.open() == 0);
  first_ended.wait();
}

TEST_CASE("connections are kept when the name stands for more addresses than before") {
  Event ended;
  test::ScriptedBackend backend(watching(ended));
  NamedPool pool(backend.port());
  pool.moves_to("127.0.0.1");
  CHECK(pool.take().address == "127.0.0.1");
  pool.give_back();
  pool.names->say("shop.test", {"127.0.0.2", "127.0.0.1"});
  pool.names->wait_for_more_lookups("shop.test", 2);
  CHECK(pool.take().reused);
}

TEST_CASE("what the gateway itself lacks for a connection ejects no endpoint") {
  namespace errc = boost::system::errc;
  Event ended;
  test::ScriptedBackend backend(watching(ended));
  NamedPool pool(backend.port());
  for (const auto lacks : {errc::too_many_files_open, errc::too_many_files_open_in_system,
                           errc::no_buffer_space, errc::not_enough_memory,
                           errc::address_not_available}) {
    pool.names->fail("shop.test", make_error_code(lacks));
    pool.names->wait_for_more_lookups("shop.test", 2);
    CHECK(pool.take().address.empty());
    CHECK(pool.available());
  }
  pool.names->fail("shop.test", boost::asio::error::host_not_found);
  pool.names->wait_for_more_lookups("shop.test", 2);
  CHECK(pool.take().address.empty());
  CHECK_FALSE(pool.available());
}

TEST_CASE("the first request waits for the first answer, and a failed one is told at once") {
  Event ended;
  test::ScriptedBackend backend(watching(ended));
  NamedPool pool(backend.port());
  pool.names->fail("shop.test", boost::asio::error::host_not_found);
  pool.names->wait_for_more_lookups("shop.test", 2);
  CHECK(pool.take().address.empty());
  pool.moves_to("127.0.0.1");
  CHECK(pool.take().address == "127.0.0.1");
}

}  // namespace
}  // namespace segue::gateway
