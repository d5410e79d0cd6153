// Listeners on Unix domain sockets: what clients and backends see, and what becomes of the file.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <filesystem>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

ConfigText on_socket(std::uint16_t backend, const fs::path& path) {
  return all_to(backend).with(
      "listeners", fmt::format("{{ public: {{ address: \"unix:{}\" }}, probe: {{ address: "
                               "\"127.0.0.1:0\" }} }}",
                               path.string()));
}

// A listening socket that another program has bound to `path`; the file stays when it goes.
Descriptor listen_on(const fs::path& path) {
  Descriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.string().size() + 1);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0)
    fail_with_errno("bind");
  return fd;
}

CommandResult refused_start(const ConfigText& config, const TempDir& folder) {
  const auto file = folder.write("segue.yaml", config.yaml(folder / "journal"));
  return run_command({segue_path(), "serve", "-c", file.string()});
}

TEST_CASE("a listener on a Unix socket serves, and its clients have no address") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  GatewayProcess gateway(on_socket(backend.port(), folder / "s"));
  {
    RawClient client(folder / "s");
    CHECK(client.get("/1").body == "x");
    CHECK(client.get("/2").body == "x");
  }
  const auto heard = backend.requests().at(0);
  CHECK(heard.field("x-forwarded-for") == "unknown");
  const auto forwarded = heard.field("forwarded").value_or("");
  CHECK(forwarded.starts_with("for=unknown;"));
  CHECK(gateway.stop().exit_code == 0);
  CHECK(recorded(gateway.journal()).size() == 2);
}

TEST_CASE("the file of a Unix socket is its owner's and its group's, and goes with the gateway") {
  const TempDir folder;
  GatewayProcess gateway(on_socket(closed_port(), folder / "s"));
  struct stat status{};
  REQUIRE(::stat((folder / "s").c_str(), &status) == 0);
  CHECK(S_ISSOCK(status.st_mode));
  CHECK((status.st_mode & 07777) == 0660);
  CHECK(gateway.stop().exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "s"));
}

TEST_CASE("a Unix socket that a dead process left is replaced") {
  const TempDir folder;
  const TempDir home;
  listen_on(folder / "s");
  REQUIRE(fs::exists(folder / "s"));
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess killed(on_socket(backend.port(), folder / "s"));
  killed.kill();
  REQUIRE(fs::exists(folder / "s"));
  GatewayProcess gateway(on_socket(backend.port(), folder / "s"));
  RawClient client(folder / "s");
  CHECK(client.get("/").body == "x");
}

TEST_CASE("a Unix socket on which a process listens is in use: one line, exit 2, and it stays") {
  const TempDir folder;
  const Descriptor other = listen_on(folder / "s");
  const auto result = refused_start(on_socket(closed_port(), folder / "s"), folder);
  CHECK(result.exit_code == 2);
  INFO(result.err);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.find("unix:" + (folder / "s").string()) != std::string::npos);
  CHECK(fs::exists(folder / "s"));
}

TEST_CASE("a file that is no socket is never removed for one") {
  const TempDir folder;
  folder.write("s", "precious");
  const auto result = refused_start(on_socket(closed_port(), folder / "s"), folder);
  CHECK(result.exit_code == 2);
  INFO(result.err);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(read_whole_file(folder / "s") == "precious");
}

TEST_CASE("a gateway does not remove the socket that another process put in place of its own") {
  const TempDir folder;
  GatewayProcess gateway(on_socket(closed_port(), folder / "s"));
  fs::remove(folder / "s");
  const Descriptor other = listen_on(folder / "s");
  CHECK(gateway.stop().exit_code == 0);
  CHECK(fs::exists(folder / "s"));
}

TEST_CASE("a relative path of a socket starts at the folder of the configuration") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto file =
      folder.write("segue.yaml", on_socket(backend.port(), "run.sock").yaml(folder / "journal"));
  Process process({segue_path(), "serve", "-c", file.string()}, folder / "stdout");
  while (process.next_error_line().value_or("ready") != "ready") {
  }
  RawClient client(folder / "run.sock");
  CHECK(client.get("/").body == "x");
}

TEST_CASE("probes are answered on a Unix socket") {
  const TempDir folder;
  const auto listeners =
      fmt::format("{{ public: {{ address: \"127.0.0.1:0\" }}, probe: {{ address: \"unix:{}\" }} }}",
                  (folder / "p").string());
  GatewayProcess gateway(all_to(closed_port()).with("listeners", listeners));
  RawClient client(folder / "p");
  CHECK(client.get("/readyz").status() == 200);
  CHECK(client.get("/metrics").body.find("segue_build_info") != std::string::npos);
  CHECK(gateway.stop().exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "p"));
}

TEST_CASE("every core accepts from the one socket: none of many connections is left waiting") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  GatewayProcess gateway(
      on_socket(backend.port(), folder / "s").with("cores", "{ count: 4 }"));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<RawClient>(folder / "s"));
  for (auto& client : clients) CHECK(client->get("/").status() == 200);
}

TEST_CASE("connections beyond one core's share of the limit are another core's") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  GatewayProcess gateway(on_socket(backend.port(), folder / "s")
                             .with("cores", "{ count: 2 }")
                             .with("limits", "{ connections: 8 }"));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(folder / "s"));
    CHECK(clients.back()->get("/").status() == 200);
    gateway.metrics();  // the cores are done with that client then, and all wait for the next
  }
  // Full: the next one waits until somebody leaves.
  RawClient next(folder / "s");
  next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  clients.pop_back();
  CHECK(next.response().status() == 200);
}

TEST_CASE("a crowd that fills one core's share at once is served by all cores") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  GatewayProcess gateway(on_socket(backend.port(), folder / "s")
                             .with("cores", "{ count: 2 }")
                             .with("limits", "{ connections: 8 }"));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<RawClient>(folder / "s"));
  for (auto& client : clients) CHECK(client->get("/").status() == 200);
}

}  // namespace
}  // namespace segue::test
