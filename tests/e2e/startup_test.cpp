#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

// Starts a gateway that cannot start: it must end by itself with 2 and one line, which is returned.
std::string refusal_to_start(const std::string& yaml) {
  const TempDir folder;
  const auto file = folder.write("segue.yaml", yaml);
  const auto result = run_command({segue_path(), "serve", "-c", file.string()});
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  INFO(result.err);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  return result.err;
}

// A listening socket on a free port, as another program would hold it.
class TakenPort {
 public:
  TakenPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd_.get(), 1) != 0) {
      fail_with_errno("bind");
    }
    socklen_t size = sizeof address;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }

 private:
  Descriptor fd_;
  std::uint16_t port_ = 0;
};

std::string listeners(std::string_view public_address, std::string_view more = {}) {
  return fmt::format("{{ public: {{ address: \"{}\"{} }}, probe: {{ address: \"127.0.0.1:0\" }} }}",
                     public_address, more);
}

TEST_CASE("a full disk at the start: one line that names the journal, exit 2") {
  const SmallDisk disk(4 << 20);
  const auto line = refusal_to_start(all_to(closed_port()).yaml(disk.path() / "journal"));
  CHECK(line.find((disk.path() / "journal").string()) != std::string::npos);
}

TEST_CASE("a journal folder that cannot be made: one line that names it, exit 2") {
  // /proc takes no folder from anybody, root included.
  const auto line = refusal_to_start(all_to(closed_port()).yaml("/proc/segue/journal"));
  CHECK(line.find("/proc/segue") != std::string::npos);
}

TEST_CASE("a file where the journal should be: one line that names it, exit 2") {
  const TempDir folder;
  const auto file = folder.write("journal", "not a folder");
  const auto line = refusal_to_start(all_to(closed_port()).yaml(file));
  CHECK(line.find(file.string()) != std::string::npos);
}

TEST_CASE("a port in use: one line that names the address, exit 2") {
  const TakenPort taken;
  const TempDir folder;
  const auto address = fmt::format("127.0.0.1:{}", taken.port());
  const auto line = refusal_to_start(
      all_to(closed_port()).with("listeners", listeners(address)).yaml(folder / "journal"));
  CHECK(line.find(address) != std::string::npos);
}

TEST_CASE("a port that another gateway listens on is in use too") {
  GatewayProcess first(all_to(closed_port()));
  const TempDir folder;
  const auto address = fmt::format("127.0.0.1:{}", first.port());
  const auto line = refusal_to_start(
      all_to(closed_port()).with("listeners", listeners(address)).yaml(folder / "journal"));
  CHECK(line.find(address) != std::string::npos);
}

TEST_CASE("a certificate that is not there: one line that names the file, exit 2") {
  const TempDir folder;
  const auto line =
      refusal_to_start(all_to(closed_port())
                           .with("listeners", listeners("127.0.0.1:0",
                                                        ", tls: { certificates: [{ cert: "
                                                        "/nowhere/a.pem, key: { file: "
                                                        "/nowhere/a.key } }] }"))
                           .yaml(folder / "journal"));
  CHECK(line.find("/nowhere/a.") != std::string::npos);
}

TEST_CASE("a certificate that is none: one line that names the file, exit 2") {
  const TempDir folder;
  const auto cert = folder.write("a.pem", "not a certificate");
  const auto key = folder.write("a.key", "not a key");
  const auto tls = fmt::format(", tls: {{ certificates: [{{ cert: {}, key: {{ file: {} }} }}] }}",
                               cert.string(), key.string());
  const auto line = refusal_to_start(all_to(closed_port())
                                         .with("listeners", listeners("127.0.0.1:0", tls))
                                         .yaml(folder / "journal"));
  CHECK(line.find("a.pem") != std::string::npos);
}

TEST_CASE("a configuration file that is not there is named, exit 2") {
  const auto result = run_command({segue_path(), "serve", "-c", "/nowhere/segue.yaml"});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("/nowhere/segue.yaml") != std::string::npos);
}

TEST_CASE("an invalid configuration is refused before anything is bound, exit 2") {
  const TempDir folder;
  const auto file = folder.write("segue.yaml", "version: 1\nroutez: {}\n");
  const auto result = run_command({segue_path(), "serve", "-c", file.string()});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("routez") != std::string::npos);
  CHECK(result.err.find("listening") == std::string::npos);
}

// A gateway on a disk that has room for the start and little more.
struct FillingDisk {
  explicit FillingDisk(std::string_view when_full)
      : backend(answer_always(response_with(200, std::string(64 << 10, 'x')))),
        gateway(config(when_full), disk.path() / "journal") {}

  ConfigText config(std::string_view when_full) const {
    ConfigText text = all_to(backend.port());
    text.with("cores", "{ count: 1 }");
    text.with("recorder", fmt::format("{{ journal: {{ dir: \"{}\", max_size: 512MiB, segment: "
                                      "8MiB, when_full: {} }} }}",
                                      (disk.path() / "journal").string(), when_full));
    return text;
  }

  SmallDisk disk{40 << 20};
  ScriptedBackend backend;
  GatewayProcess gateway;
};

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

TEST_CASE("a disk that fills while serving: safe requests are served and every loss is counted") {
  FillingDisk filling("{ safe: drop, unsafe: refuse }");
  RawClient client(filling.gateway.port());
  constexpr int kRequests = 1500;  // three times what the disk holds
  int served = 0;
  for (int i = 0; i < kRequests; ++i) served += client.get("/").status() == 200 ? 1 : 0;
  CHECK(served == kRequests);
  const auto kept = recorded(filling.gateway.journal()).size();
  const auto dropped =
      filling.gateway.metric("segue_journal_dropped_total", {"reason=\"exchange\""});
  CHECK(kept > 0);
  CHECK(kept < kRequests);
  // A ring overwrites its oldest segments, in which exchanges are counted as well.
  const auto overwritten = filling.gateway.metric("segue_journal_overwritten_total");
  CHECK(dropped + overwritten > 0);
  if (overwritten == 0) {
    CHECK(kept + static_cast<std::size_t>(dropped) == kRequests);
  }
  CHECK(filling.gateway.stop().exit_code == 0);
}

TEST_CASE("a disk that fills while serving: unsafe requests are refused, not sent unrecorded") {
  FillingDisk filling("{ safe: drop, unsafe: refuse }");
  RawClient client(filling.gateway.port());
  int refused = 0;
  int served = 0;
  for (int i = 0; i < 1500; ++i) {
    const int status = client.exchange(kPost).status();
    REQUIRE((status == 200 || status == 503));
    (status == 200 ? served : refused)++;
  }
  CHECK(filling.backend.requests().size() == static_cast<std::size_t>(served));
  const auto overwritten = filling.gateway.metric("segue_journal_overwritten_total");
  CHECK((refused > 0 || overwritten > 0));
  if (overwritten == 0) {
    CHECK(recorded(filling.gateway.journal(), {"--method", "POST"}).size() >=
          static_cast<std::size_t>(served));
  }
}

}  // namespace
}  // namespace segue::test
