#include "config/load.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

namespace fs = std::filesystem;
using recorder::RedactionMode;
using testing::configuration_with;
using testing::load_changed;
using testing::route_of;
using testing::settings_of;

// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "segue-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  std::string write(const std::string& name, std::string_view text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<std::string> codes_of(const LoadResult& result) {
  std::vector<std::string> codes;
  for (const Diagnostic& error : result.errors) codes.push_back(error.code);
  return codes;
}

TEST_CASE("a small configuration has the documented defaults") {
  const Settings settings = settings_of("");
  CHECK(settings.service == "segue");
  CHECK_FALSE(settings.instance.empty());
  CHECK(settings.limits.head_bytes == 32 << 10);
  CHECK_FALSE(settings.limits.body_bytes.has_value());
  CHECK(settings.journal.directory == "data/journal");
  CHECK(settings.journal.max_bytes == std::uint64_t{2} << 30);
  REQUIRE(settings.backends.size() == 2);
  CHECK(settings.backends[0].role == "legacy");
  CHECK(settings.backends[0].timeouts.connect == std::chrono::milliseconds{1000});
  CHECK_FALSE(settings.backends[0].timeouts.total.has_value());
  CHECK(settings.listeners[0].port == 0);
  CHECK(route_of(settings, "all").record.body_max_bytes == 1 << 20);
  CHECK(route_of(settings, "all").record.body_digest == recorder::BodyDigest::none);
}

TEST_CASE("every value of a configuration arrives") {
  const Settings settings = settings_of(R"(
service: { name: shop, instance: shop-1 }
cores: { count: 3, pin: true }
listeners:
  probe: { address: "[::1]:9902" }
  public:
    address: "0.0.0.0:8080"
    trusted_proxies: [10.0.0.0/8, "::1", unix]
    proxy_protocol: any
    exchange_id_header: true
    underscore_names: refuse
    tls: { certificates: [{ cert: a.pem, key: { file: /keys/a.key } },
                          { cert: b.pem, key: { file: b.key } }],
           client_certificates: optional, client_ca: ca.pem, min_version: "1.3" }
limits: { head: 16KiB, body: 1GiB, min_rate: 0B, connections: 5, per_client: 4 }
drain: { delay: 0ms, timeout: 1m }
backends:
  old: { role: legacy, endpoints: ["[2001:db8::1]:80", "php:81", "unix:/run/php.sock"],
         host: shop.example, balance: least_requests, dns: { refresh: 7s },
         ejection: { after: 2, base: 3s, max: 4s } }
  new:
    endpoints: ["go.internal:8443"]
    tls: { ca: ca.pem }
    limits: { connections: 7, pending: 8, idle: 9, idle_time: 1s }
    timeouts: { connect: 200ms, first_byte: none, idle: 2s, total: 5s }
recorder:
  journal: { dir: /var/lib/segue, max_size: 4GiB, segment: 32MiB, consumers: [publisher],
             when_full: { safe: block, unsafe: drop }, block_timeout: 5ms }
  capture_memory: 8MiB
routes: { all: { match: {}, to: old } }
)");
  CHECK(settings.instance == "shop-1");
  CHECK(settings.cores == 3);
  CHECK(settings.pin_cores);
  REQUIRE(settings.listeners.size() == 2);
  CHECK(settings.listeners[0].kind == gateway::ListenerKind::probe);
  CHECK(settings.listeners[0].host == "::1");
  const auto& listener = settings.listeners[1];
  CHECK(listener.port == 8080);
  CHECK(listener.trusted_proxies.size() == 3);
  CHECK(listener.proxy_protocol == gateway::ProxyProtocol::any);
  CHECK(listener.exchange_id_header);
  CHECK(listener.underscore_names == gateway::http1::UnderscoreNames::refuse);
  REQUIRE(listener.tls->certificates.size() == 2);
  CHECK(listener.tls->certificates[0].certificate_file == "a.pem");
  CHECK(listener.tls->certificates[0].key_file == "/keys/a.key");
  CHECK(listener.tls->certificates[1].key_file == "b.key");
  CHECK(listener.tls->client_certificates == runtime::ClientCertificates::optional);
  CHECK(listener.tls->client_ca_file == "ca.pem");
  CHECK(listener.tls->min_version == runtime::TlsVersion::v1_3);
  CHECK(settings.limits.body_bytes == std::uint64_t{1} << 30);
  CHECK(settings.limits.connections == 5);
  CHECK(settings.limits.per_client == 4u);
  CHECK(settings.drain.timeout == std::chrono::minutes{1});
  REQUIRE(settings.backends.size() == 2);
  const auto& fresh = settings.backends[0];
  CHECK(fresh.name == "new");
  CHECK(fresh.tls->server_name == "go.internal");
  CHECK(fresh.max_idle == 9);
  CHECK_FALSE(fresh.timeouts.first_byte.has_value());
  CHECK(fresh.timeouts.total == std::chrono::seconds{5});
  const auto& old = settings.backends[1];
  CHECK(old.role == "legacy");
  CHECK(old.endpoints.at(0).host == "2001:db8::1");
  CHECK(old.endpoints.at(2).socket_path == "/run/php.sock");
  CHECK(old.balance == gateway::Balance::least_requests);
  CHECK(old.dns_refresh == std::chrono::seconds{7});
  CHECK(old.ejection.after == 2);
  CHECK(old.ejection.base == std::chrono::seconds{3});
  CHECK(old.ejection.max == std::chrono::seconds{4});
  CHECK(old.host == "shop.example");
  CHECK(settings.journal.consumers == std::vector<std::string>{"publisher"});
  CHECK(settings.journal.when_full_safe == recorder::WhenFull::block);
  CHECK(settings.journal.when_full_unsafe == recorder::WhenFull::drop);
  CHECK(settings.journal.block_timeout == std::chrono::milliseconds{5});
  CHECK(settings.capture_memory == 8 << 20);
}

TEST_CASE("a route inherits from defaults: maps merge, scalars replace, redactions grow") {
  const Settings settings = settings_of(R"(
defaults:
  timeouts: { idle: 1s, total: 2s }
  record:
    key: header:x-user
    bodies: { max: 2MiB, digest: sha256 }
    redact: { headers: [x-token, { name: x-card, mode: drop }] }
routes:
  plain: { match: { prefix: /a }, to: legacy }
  own:
    match: { prefix: /b }
    to: legacy
    timeouts: { total: 5s }
    record: { key: cookie:uid, redact: { headers: [x-more, X-Card] } }
  bare: { match: { prefix: /c }, to: legacy, record: { bodies: none, key_mode: hash } }
  silent: { match: { prefix: /d }, to: legacy, record: none }
  undigested: { match: { prefix: /e }, to: legacy, record: { bodies: { digest: none } } }
)");
  const RouteSettings& own = route_of(settings, "own");
  CHECK(own.timeouts.idle == std::chrono::seconds{1});
  CHECK(own.timeouts.total == std::chrono::seconds{5});
  CHECK(own.record.body_max_bytes == 2 << 20);
  CHECK(own.record.body_digest == recorder::BodyDigest::sha256);
  CHECK(route_of(settings, "undigested").record.body_max_bytes == 2 << 20);
  CHECK(route_of(settings, "undigested").record.body_digest == recorder::BodyDigest::none);
  CHECK(own.record.hash_account);  // a cookie is redacted
  CHECK(own.rule.account.name == "uid");
  const auto& redactions = own.record.redact.headers;
  REQUIRE(redactions.size() == 7);  // three of its own and the four credentials
  CHECK(redactions[0].name == "x-token");
  CHECK(redactions[1].mode == RedactionMode::drop);
  CHECK(redactions[2].name == "x-more");
  CHECK_FALSE(route_of(settings, "plain").record.hash_account);
  CHECK(route_of(settings, "plain").rule.account.name == "x-user");
  CHECK_FALSE(route_of(settings, "bare").record.bodies);
  CHECK(route_of(settings, "bare").record.hash_account);
  CHECK_FALSE(route_of(settings, "silent").record.enabled);
}

TEST_CASE("every list of redactions is read, and of the same name the stricter mode stays") {
  const Settings settings = settings_of(R"(
recorder:
  keys: { active: k2, k1: { file: keys/k1 }, k2: { file: keys/k2 }, account: { file: keys/a } }
defaults:
  record:
    key: query:uid
    redact:
      query: [uid, { name: token, mode: hash }]
      json: [$..password, { name: "$.card['no x'][-1]", mode: encrypt }]
      form: [{ name: pin, mode: drop }]
      patterns: [card, { name: email, mode: hash }, { regex: 'x\d+', name: ticket }]
routes:
  all: { match: {}, to: legacy, record: { redact: { query: [{ name: token, mode: encrypt }],
         form: [pin], patterns: [email] } } }
)");
  const recorder::RecordSettings& record = route_of(settings, "all").record;
  const recorder::Redactions& redact = record.redact;
  CHECK(record.hash_account);  // its parameter is redacted
  REQUIRE(redact.query.size() == 2);
  CHECK(redact.query[0].mode == RedactionMode::mask);
  CHECK(redact.query[1].mode == RedactionMode::hash);
  REQUIRE(redact.json.size() == 2);
  CHECK(redact.json[1].mode == RedactionMode::encrypt);
  REQUIRE(redact.form.size() == 1);
  CHECK(redact.form[0].mode == RedactionMode::drop);
  REQUIRE(redact.patterns.size() == 3);
  CHECK(redact.patterns[1].mode == RedactionMode::mask);  // stricter than a hash
  CHECK(redact.patterns[2].regex == "x\\d+");
  CHECK(redact.patterns[2].name == "ticket");
  CHECK(settings.keys.active == "k2");
  REQUIRE(settings.keys.files.size() == 2);
  CHECK(settings.keys.files[0].path.filename() == "k1");
  CHECK(settings.keys.account.filename() == "a");
}

TEST_CASE("credentials are redacted whatever a configuration says") {
  const Settings settings = settings_of("");
  const auto& redactions = route_of(settings, "all").record.redact.headers;
  for (const char* name : {"authorization", "cookie", "set-cookie", "proxy-authorization"})
    CHECK(std::any_of(redactions.begin(), redactions.end(),
                      [&](const auto& redaction) { return redaction.name == name; }));
}

TEST_CASE("matches, splits and rewrites arrive as they are written") {
  const Settings settings = settings_of(R"(
routes:
  read:
    match: { method: [GET, HEAD], host: "*.shop.example", path: "/s/{id}", scheme: https,
             header: { x-beta: "1", x-any: { present: true } }, query: { q: { regex: "a+" } } }
    split: { legacy: 99.75, new: 0.25 }
    sticky: { key: cookie:uid, missing: new, salt: s }
    trailing_slash: ignore
  by-regex: { match: { regex: "/r/.*", under: /r }, to: new, rewrite: { path: /x } }
  all: { match: {}, to: legacy }
)");
  const routing::RouteRule& rule = route_of(settings, "read").rule;
  CHECK(rule.match.methods == std::vector<std::string>{"GET", "HEAD"});
  CHECK(rule.match.form == routing::PathForm::path);
  CHECK(rule.match.headers.at(1).test == routing::ValueCondition::Test::present);
  CHECK(rule.match.query.at(0).value == "a+");
  CHECK(rule.split->new_share == 25);
  CHECK(rule.split->missing_to_new);
  CHECK(rule.split->salt == "s");
  CHECK(rule.trailing_slash == routing::TrailingSlash::ignore);
  CHECK(route_of(settings, "by-regex").rule.match.under == "/r");
  CHECK(route_of(settings, "by-regex").rule.rewrite.form == routing::RewriteForm::path);
}

TEST_CASE("addresses take values from the environment") {
  ::setenv("SEGUE_CONFIG_TEST_HOST", "192.0.2.7", 1);
  const Settings settings =
      settings_of("listeners: { public: { address: \"${SEGUE_CONFIG_TEST_HOST}:80\" } }");
  CHECK(settings.listeners.at(0).host == "192.0.2.7");
}

TEST_CASE("all errors come in one run, in the order of the file") {
  const LoadResult result = load_changed(R"(
limits: { head: 5, heads: 6 }
routes:
  a: { match: { metod: GET }, to: legcy }
tests: [{ request: GET }]
)");
  CHECK(codes_of(result) ==
        std::vector<std::string>{"E014", "E012", "E012", "E016", "E013", "E014"});
}

TEST_CASE("a mistake in defaults is reported once, not for each route") {
  const LoadResult result = load_changed(
      "defaults: { record: { redact: {}, bodis: none } }\n"
      "routes: { a: { match: { prefix: /a }, to: new }, b: { match: { prefix: /b }, to: new } }");
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors[0].message == "unknown key 'bodis' in defaults.record");
}

TEST_CASE("a tie between routes points at a route and shows a request") {
  const LoadResult result = load_changed(R"(
routes:
  a: { match: { path: "/x/{id}", header: { x-a: "1" } }, to: legacy }
  b: { match: { path: "/x/{id}", header: { x-b: "1" } }, to: new }
)");
  REQUIRE_FALSE(result.errors.empty());
  CHECK(result.errors[0].line >= 9);
  CHECK(result.errors[0].message.find("/x/") != std::string::npos);
  CHECK(result.table == nullptr);
}

TEST_CASE("included files add routes, backends and tests") {
  const Folder folder;
  folder.write("routes/a.yaml",
               "routes: { a: { match: { prefix: /a }, to: legacy } }\n"
               "tests: [{ request: GET /a, route: a }]\n");
  folder.write("routes/b.yaml", "routes: { b: { match: { prefix: /b }, to: new } }\n");
  const std::string file =
      folder.write("segue.yaml", configuration_with("include: [routes/*.yaml]"));
  const LoadResult result = load(file);
  REQUIRE(result.settings.has_value());
  CHECK(result.settings->routes.size() == 3);
  CHECK(result.settings->tests.size() == 1);
  CHECK(route_of(*result.settings, "b").file == (folder.path() / "routes/b.yaml").string());
  CHECK(route_of(*result.settings, "b").line == 1);
  CHECK(result.settings->journal.directory == folder.path() / "data/journal");
}

TEST_CASE("what two files say twice is refused with both places") {
  const Folder folder;
  folder.write("more.yaml", "version: 1\nroutes: { all: { match: {}, to: new } }\nlimits: {}\n");
  const std::string file =
      folder.write("segue.yaml", configuration_with("include: [more.yaml]\nlimits: {}"));
  const LoadResult result = load(file);
  CHECK(codes_of(result) == std::vector<std::string>{"E017", "E026", "E026"});
  CHECK(result.errors[1].message == "'all' is already there, in " + file + ":8");
  CHECK(result.errors[1].file == (folder.path() / "more.yaml").string());
}

TEST_CASE("an include that leads out of the folder is refused") {
  const Folder outside;
  const std::string secret = outside.write("secret.yaml", "routes: {}\n");
  const Folder folder;
  fs::create_symlink(secret, folder.path() / "link.yaml");
  for (const std::string include : {"../x.yaml", "/etc/passwd", "link.yaml", "no-such.yaml"}) {
    INFO(include);
    const std::string file =
        folder.write("segue.yaml", configuration_with("include: [\"" + include + "\"]"));
    const LoadResult result = load(file);
    CHECK(codes_of(result) == std::vector<std::string>{"E017"});
  }
}

TEST_CASE("a folder of symbolic links, as a ConfigMap is mounted, may be included") {
  const Folder folder;
  folder.write("..data/r.yaml", "routes: { a: { match: { prefix: /a }, to: legacy } }\n");
  fs::create_symlink("..data/r.yaml", folder.path() / "r.yaml");
  const LoadResult result =
      load(folder.write("segue.yaml", configuration_with("include: [r.yaml]")));
  REQUIRE(result.settings.has_value());
  CHECK(result.settings->routes.size() == 2);
}

TEST_CASE("a file that cannot be read is one error without a line") {
  const Folder folder;
  for (const fs::path& path : {folder.path() / "none.yaml", folder.path()}) {
    const LoadResult result = load(path.string());
    REQUIRE(result.errors.size() == 1);
    CHECK(result.errors[0].code == "E001");
    CHECK(result.errors[0].line == 0);
  }
}

TEST_CASE("an empty file is told what it needs") {
  const LoadResult result = load_text("", "segue.yaml", "");
  CHECK(codes_of(result) == std::vector<std::string>{"E013", "E013", "E013", "E013"});
}

TEST_CASE("failing tests are skipped on request and errors otherwise") {
  const char* changes = "tests: [{ request: GET /, route: none }]";
  CHECK(codes_of(load_changed(changes)) == std::vector<std::string>{"E025"});
  CHECK(load_changed(changes, Tests::skip).settings.has_value());
}

}  // namespace
}  // namespace segue::config
