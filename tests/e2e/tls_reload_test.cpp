#include <signal.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <ctime>
#include <filesystem>
#include <thread>

#include "tests/e2e/tls_client.hpp"
#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

// Certificates that are replaced while the gateway runs.
namespace segue::test {
namespace {

namespace fs = std::filesystem;
using Order = CertificateOrder;

// A certificate at a path of its own, which may be replaced.
class Place {
 public:
  explicit Place(const Certificate& first) { put(first); }
  void put(const Certificate& certificate) const {
    put_certificate(certificate);
    fs::copy_file(certificate.key_file(), key(), fs::copy_options::overwrite_existing);
  }
  void put_certificate(const Certificate& certificate) const {
    fs::copy_file(certificate.certificate_file(), file(), fs::copy_options::overwrite_existing);
  }
  std::string file() const { return (folder_ / "tls.crt").string(); }
  std::string key() const { return (folder_ / "tls.key").string(); }
  std::string entry() const { return certificate_entry(file(), key()); }

 private:
  TempDir folder_;
};

std::string shown_by(const GatewayProcess& gateway) {
  return TlsClient(gateway.port(), {}).shown_name();
}

constexpr const char* kReloads = "segue_tls_reloads_total";
constexpr const char* kFailures = "segue_tls_reload_failures_total";

TEST_CASE("SIGHUP: new connections get the new certificate, and no connection is dropped") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate before("before.test");
  const Certificate after("after.test");
  const Place place(before);
  GatewayProcess gateway(tls_to(backend.port(), place.entry()));
  TlsOffer offer;
  offer.version = TLS1_2_VERSION;
  TlsClient kept(gateway.port(), offer);
  CHECK(kept.get().ends_with("x"));
  CHECK(kept.shown_name() == "before.test");

  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::atomic<int> dropped{0};
  std::thread traffic([&] {
    while (!stop) ++(TlsClient(gateway.port(), {}).get().ends_with("x") ? served : dropped);
  });
  place.put(after);
  gateway.process().signal(SIGHUP);
  gateway.wait_for_metric(kReloads, {}, 1);
  const int seen = served;
  const Deadline deadline;
  while (served < seen + 20 && deadline.left() > 0) std::this_thread::yield();
  stop = true;
  traffic.join();
  CHECK(served >= seen + 20);
  CHECK(dropped == 0);

  for (int i = 0; i < 10; ++i) CHECK(shown_by(gateway) == "after.test");  // on both cores
  CHECK(kept.get().ends_with("x"));
  offer.session = kept.session();
  CHECK(TlsClient(gateway.port(), offer).resumed());  // the keys of tickets stay
}

TEST_CASE("files that change are noticed without a signal, also behind a link that is turned") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate before("before.test");
  const Certificate after("after.test");
  const Place first(before);
  const Place second(after);
  const TempDir folder;  // as Kubernetes mounts a Secret: tls.crt -> ..data/tls.crt
  const auto data = folder / "..data";
  fs::create_directory_symlink(fs::path(first.file()).parent_path(), data);
  GatewayProcess gateway(tls_to(
      backend.port(), certificate_entry((data / "tls.crt").string(), (data / "tls.key").string())));
  CHECK(shown_by(gateway) == "before.test");
  fs::create_directory_symlink(fs::path(second.file()).parent_path(), folder / "..new");
  fs::rename(folder / "..new", data);
  gateway.wait_for_metric(kReloads, {}, 1);
  CHECK(shown_by(gateway) == "after.test");
}

TEST_CASE("a certificate that does not fit leaves the old one in use, and is said once") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate before("before.test");
  const Certificate after("after.test");
  const Place place(before);
  GatewayProcess gateway(tls_to(backend.port(), place.entry()));
  place.put_certificate(after);  // and not its key
  gateway.process().signal(SIGHUP);
  gateway.wait_for_metric(kFailures, {}, 1);
  CHECK(shown_by(gateway) == "before.test");
  CHECK(gateway.metric(kReloads) == 0);
  place.put(after);
  gateway.process().signal(SIGHUP);
  gateway.wait_for_metric(kReloads, {}, 1);
  CHECK(shown_by(gateway) == "after.test");
  CHECK(gateway.metric(kFailures) == 1);
  gateway.stop();
  const std::string& said = gateway.process().errors();
  const std::string wanted = "listeners.public.tls: cannot use key '" + place.key() +
                             "': it does not belong to the certificate";
  const auto at = said.find(wanted);
  REQUIRE(at != std::string::npos);
  CHECK(said.find(wanted, at + 1) == std::string::npos);
  CHECK(said.find("listeners.public.tls: files loaded anew") != std::string::npos);
}

TEST_CASE("the certificate that is shown to a backend is replaced, too") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate inner_certificate("inner.test");
  const Certificate stranger("segue.test");
  const Certificate known("segue.test");
  GatewayProcess inner(tls_to(
      backend.port(), certificate_entry(inner_certificate),
      fmt::format(", client_certificates: required, client_ca: {}", known.certificate_file())));
  const Place ours(stranger);
  GatewayProcess outer(all_to(
      inner.port(), fmt::format("tls: {{ ca: {}, server_name: inner.test, cert: {}, key: {{ file: "
                                "{} }} }}",
                                inner_certificate.certificate_file(), ours.file(), ours.key())));
  RawClient client(outer.port());
  CHECK(client.get("/").status() == 502);
  ours.put(known);
  outer.process().signal(SIGHUP);
  outer.wait_for_metric(kReloads, {}, 1);
  for (int i = 0; i < 10; ++i) CHECK(RawClient(outer.port()).get("/").status() == 200);
}

TEST_CASE("metrics say when certificates expire, and an expired one is a warning") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate good(Order{{"good.test"}, Order::Key::ec, 48});
  const Certificate expired(Order{{"late.test"}, Order::Key::ec, -1});
  GatewayProcess gateway(
      tls_to(backend.port(), certificate_entry(good) + ", " + certificate_entry(expired)));
  const auto left = [&](const char* name) {
    const double at = gateway.metric("segue_tls_certificate_expiry_timestamp_seconds",
                                     {"listener=\"public\"", name});
    return at - static_cast<double>(std::time(nullptr));
  };
  CHECK(left("name=\"good.test\"") > 47 * 3600);
  CHECK(left("name=\"good.test\"") <= 48 * 3600);
  CHECK(left("name=\"late.test\"") < 0);
  CHECK(gateway.process().errors().find("listeners.public.tls: the certificate '" +
                                        expired.certificate_file() + "' expired on ") !=
        std::string::npos);
}

TEST_CASE("SIGHUP without TLS does no harm") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  gateway.process().signal(SIGHUP);
  RawClient client(gateway.port());
  CHECK(client.get("/").status() == 200);
  CHECK(gateway.stop().exit_code == 0);
}

}  // namespace
}  // namespace segue::test
