#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string_view>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

using testing::configuration_with;
using testing::read_marks;

// What is wrong stands between ‹ and ›; the other top-level keys are those of a valid file.
struct Case {
  std::string_view changes;
  std::string_view code;
  std::string_view message;
  std::string_view hint;
};

void check(const Case& expected) {
  INFO(expected.changes);
  const auto marked = read_marks(configuration_with(expected.changes));
  const LoadResult result = load_text(marked.text, "segue.yaml", "");
  for (const Diagnostic& error : result.errors)
    UNSCOPED_INFO(fmt::format("{}:{}+{} {} {} ({})", error.line, error.column, error.length,
                              error.code, error.message, error.hint));
  REQUIRE(result.errors.size() == 1);
  const Diagnostic& error = result.errors.front();
  CHECK(error.code == expected.code);
  CHECK(error.message == expected.message);
  CHECK(error.hint == expected.hint);
  CHECK(error.line == marked.line);
  CHECK(error.column == marked.column);
  CHECK(error.length == marked.length);
  CHECK(error.file == "segue.yaml");
  CHECK_FALSE(result.settings.has_value());
}

constexpr Case kYaml[] = {
    {"limits: { head: 1KiB, ‹head›: 2KiB }", "E003", "key 'head' is already there, in line 9",
     "keep one of them"},
    {"limits: ‹&a› { head: 2KiB }", "E004", "anchors are not part of this format",
     "write the value where it is needed, or use 'defaults'"},
    {"limits: { ‹<<›: { head: 2KiB } }", "E004", "merge keys are not part of this format",
     "write the keys here, or use 'defaults'"},
    {"limits: { head: ‹!size› 2KiB }", "E005", "tags are not part of this format",
     "remove the tag"},
    {"limits: { ‹[›a]: 2KiB }", "E007", "a key must be text", "quote it"},
    {"drain: {}\n‹---›\nversion: 1", "E007", "a second document starts here",
     "a configuration is one YAML document: remove '---'"},
};

constexpr Case kTypes[] = {
    {"limits: ‹5›", "E010", "limits must be a map, not the number 5", ""},
    {"limits: { head: ‹[›] }", "E010", "limits.head must be a size such as 64KiB, not a list", ""},
    {"‹limits›:", "E010", "limits must be a map, not empty", ""},
    {"cores: { pin: ‹yes› }", "E010", "cores.pin must be true or false, not 'yes'", ""},
    {"cores: { pin: ‹\"true\"› }", "E010", "cores.pin must be true or false, not 'true'", ""},
    {"limits: { fields: ‹\"10\"› }", "E010", "limits.fields must be a whole number, not '10'", ""},
    {"service: { name: ‹5› }", "E010", "service.name must be text, not the number 5",
     "quote it: \"5\""},
    {"limits: { head: ‹64› }", "E014",
     "limits.head must be a size such as 64KiB, not the number 64", "add a unit: 64B"},
    {"limits: { head: ‹64 KB› }", "E014", "limits.head must be a size such as 64KiB, not '64 KB'",
     ""},
    {"limits: { keep_alive: ‹75› }", "E014",
     "limits.keep_alive must be a duration such as 250ms, 5s or 10m, not the number 75",
     "add a unit: 75s or 75ms"},
    {"limits: { keep_alive: ‹none› }", "E014",
     "limits.keep_alive must be a duration such as 250ms, 5s or 10m, not 'none'", ""},
    {"limits: { head: ‹5GiB› }", "E011", "limits.head must be between 1KiB and 1MiB, not 5GiB", ""},
    {"limits: { fields: ‹0› }", "E011", "limits.fields must be between 1 and 1000, not 0", ""},
    {"version: ‹2›", "E014", "version must be 1, not the number 2", ""},
    {"recorder: { journal: { when_full: { safe: ‹dorp› } } }", "E014",
     "recorder.journal.when_full.safe must be one of drop, refuse, block, not 'dorp'",
     "did you mean 'drop'?"},
};

constexpr Case kKeys[] = {
    {"‹limit›: {}", "E012", "unknown key 'limit'", "did you mean 'limits'?"},
    {"limits: { ‹heads›: 2KiB }", "E012", "unknown key 'heads' in limits", "did you mean 'head'?"},
    {"limits: { ‹per_client›: 5 }", "E012", "unknown key 'per_client' in limits", ""},
    {"routes:\n  all:\n    match: { ‹metod›: GET }\n    to: legacy", "E012",
     "unknown key 'metod' in routes.all.match", "did you mean 'method'?"},
    {"routes:\n  ‹all›: { to: legacy }", "E013", "routes.all needs 'match'", ""},
    {"routes:\n  ‹all›: { match: {} }", "E013", "routes.all needs 'to' or 'split'", ""},
    {"routes: { ‹a.b›: { match: {}, to: legacy } }", "E019", "'a.b' cannot be the name of a route",
     "letters, digits, '-' and '_', at most 64"},
};

constexpr Case kListeners[] = {
    {"listeners: { public: { address: ‹localhost:80› } }", "E014",
     "listeners.public.address must be an IP address and a port, such as 0.0.0.0:8080, not "
     "'localhost:80'",
     "write 127.0.0.1:80"},
    {"listeners: { public: { address: ‹\":8080\"› } }", "E014",
     "listeners.public.address must be an IP address and a port, such as 0.0.0.0:8080, not "
     "':8080'",
     "write 0.0.0.0:8080"},
    {"listeners: { public: { address: ‹\"${SEGUE_NO_SUCH_VARIABLE}:80\"› } }", "E018",
     "the environment variable 'SEGUE_NO_SUCH_VARIABLE' is not set", ""},
    {"service: { name: ‹\"${HOME}\"› }", "E018", "${...} is not replaced in service.name",
     "the environment is read in addresses only"},
    {"‹listeners›: { probe: { address: \"127.0.0.1:0\" } }", "E020", "no listener is public",
     "public: { address: \"0.0.0.0:8080\" }"},
    {"listeners:\n  a: { address: \"127.0.0.1:80\" }\n  b: { address: ‹\"127.0.0.1:80\"› }", "E020",
     "another listener has the address of 'b'", ""},
    {"listeners: { public: { address: \"[::1]:0\", trusted_proxies: [‹10.0.0.0/33›] } }", "E014",
     "listeners.public.trusted_proxies[0] must be an IP address or block such as 10.0.0.0/8, not "
     "'10.0.0.0/33'",
     ""},
    {"listeners: { public: { address: \"[::1]:0\", tls: { certificates: [{ cert: a, key: ‹b› }] } "
     "} }",
     "E024", "listeners.public.tls.certificates[0].key is a secret and cannot be written here",
     "write { file: path }"},
};

constexpr Case kBackends[] = {
    {"backends: { legacy: { endpoints: [‹\"http://a:80\"›] } }", "E014",
     "backends.legacy.endpoints[0] must be host:port, such as php.internal:80, not 'http://a:80'",
     "no scheme: 'tls' switches TLS on"},
    {"backends: { legacy: { ‹endpoints›: [] } }", "E011",
     "backends.legacy.endpoints must not be empty", ""},
    {"backends: { legacy: { endpoints: [\"a:1\", \"b:1\"], ‹tls›: {} } }", "E013",
     "backends.legacy.tls needs 'server_name': the endpoints have different hosts", ""},
    {"backends: { legacy: { endpoints: [\"a:1\"], ‹tls›: { cert: a.pem } } }", "E013",
     "backends.legacy.tls needs both 'cert' and 'key', or neither", ""},
};

constexpr Case kRoutes[] = {
    {"routes: { all: { match: {}, to: ‹legcy› } }", "E016", "no backend is called 'legcy'",
     "did you mean 'legacy'?"},
    {"routes: { all: { match: {}, to: legacy, before: ‹al› } }", "E016", "no route is called 'al'",
     "did you mean 'all'?"},
    {"routes: { all: { match: { path: /a, ‹prefix›: /b }, to: legacy } }", "E015",
     "routes.all.match has both 'path' and 'prefix'", "keep one of them"},
    {"routes: { all: { match: { ‹regex›: /a.* }, to: legacy } }", "E013",
     "routes.all.match needs 'under' with 'regex'", "under: /the/prefix/it/is/tried/under"},
    {"routes: { all: { match: { ‹under›: /a }, to: legacy } }", "E015",
     "routes.all.match has 'under' without 'regex'", ""},
    {"routes: { all: { match: { method: ‹get› }, to: legacy } }", "E014",
     "routes.all.match.method must be a method in capitals, not 'get'", "did you mean 'GET'?"},
    {"routes: { all: { match: { header: { x-beta: ‹1› } }, to: legacy } }", "E010",
     "routes.all.match.header.x-beta must be text, { present: true } or { regex: ... }, not the "
     "number 1",
     "quote it: \"1\""},
    {"routes: { all: { match: { header: { x: { present: ‹false› } } }, to: legacy } }", "E014",
     "routes.all.match.header.x.present must be true, not false",
     "there is no condition on what is absent"},
    {"routes: { all: { match: {}, ‹split›: { legacy: 90, new: 20 }, sticky: { key: peer, missing: "
     "new } } }",
     "E021", "routes.all.split adds up to 110, not 100", ""},
    {"routes: { all: { match: {}, split: { legacy: ‹33.333›, new: 66.67 }, sticky: { key: peer, "
     "missing: new } } }",
     "E014",
     "routes.all.split.legacy must be a percentage from 0 to 100, with two decimals at most, not "
     "the number 33.333",
     ""},
    {"routes: { all: { match: {}, split: { legacy: 50, new: 50 }, ‹sticky›: { key: peer } } }",
     "E022", "routes.all.sticky does not say where requests without the key go", "missing: legacy"},
    {"routes: { all: { match: {}, ‹split›: { legacy: 50, new: 50 } } }", "E022",
     "routes.all has 'split' without 'sticky'", "sticky: { key: cookie:NAME, missing: legacy }"},
    {"routes: { all: { match: {}, to: legacy, ‹sticky›: { key: peer, missing: new } } }", "E022",
     "routes.all has 'sticky' without 'split'", ""},
    {"routes: { all: { match: {}, to: legacy, ‹split›: { legacy: 50, new: 50 }, sticky: { key: "
     "peer, missing: new } } }",
     "E015", "routes.all has both 'to' and 'split'", "keep one of them"},
    {"backends: { legacy: { endpoints: [\"a:1\"] } }\nroutes: { all: { match: {}, ‹split›: { "
     "legacy: 50, new: 50 }, sticky: { key: peer, missing: new } } }",
     "E028", "a split needs one backend with the role 'new'; there is none", "role: new"},
    {"routes: { all: { match: {}, to: legacy, rewrite: { prefix: /a, ‹path›: /b } } }", "E015",
     "routes.all.rewrite has both 'prefix' and 'path'", "keep one of them"},
};

constexpr Case kRecording[] = {
    {"defaults: {}\nroutes: { ‹all›: { match: {}, to: legacy } }", "E023",
     "bodies of 'all' are recorded and nothing says what to redact",
     "defaults: { record: { redact: { headers: [authorization, cookie] } } }"},
    {"defaults: { record: { redact: {}, bodies: { max: ‹64MiB› } } }", "E027",
     "two bodies of 64MiB and their heads do not fit into half a segment (32MiB)",
     "make recorder.journal.segment larger"},
    {"defaults: { record: { redact: {}, durability: ‹disc› } }", "E014",
     "defaults.record.durability must be one of best-effort, journal, disk, kafka, not 'disc'",
     "did you mean 'disk'?"},
    {"defaults: { record: { redact: {}, key: ‹cokie:uid› } }", "E014",
     "defaults.record.key must be header:NAME, cookie:NAME, query:NAME, path:NAME, "
     "jwt:HEADER/CLAIM or peer, not 'cokie:uid'",
     ""},
    {"defaults: { record: { redact: { headers: [{ name: a, mode: ‹hsh› }] } } }", "E014",
     "defaults.record.redact.headers[0].mode must be one of mask, drop, hash, encrypt, not 'hsh'",
     "did you mean 'hash'?"},
    {"defaults: { record: { redact: { ‹query›: [{ name: a, mode: hash }] } } }", "E029",
     "'hash' and 'encrypt' need a key", "recorder: { keys: { active: k1, k1: { file: path } } }"},
    {"defaults: { record: { redact: {} } }\nrecorder: { keys: { active: ‹k2›, k1: { file: a } } }",
     "E029", "recorder.keys has no key 'k2'", "k2: { file: path }"},
    {"defaults: { record: { redact: {}, key: \"header:x\", key_mode: hash } }\n"
     "recorder: { ‹kafka›: { brokers: [\"a:1\"] } }",
     "E029",
     "account ids of 'all' are hashed, and every gateway would make a key of its own",
     "recorder: { keys: { account: { file: path } } }"},
    {"defaults: { record: { redact: {} } }\nrecorder: { keys: { k1: ‹0123› } }", "E024",
     "recorder.keys.k1 is a secret and cannot be written here", "write { file: path }"},
    {"defaults: { record: { redact: { json: [‹$a›] } } }", "E014",
     "defaults.record.redact.json[0] is no JSON path: '$a', at character 2: a step begins "
     "with . or [",
     ""},
    {"defaults: { record: { redact: { patterns: [{ regex: ‹a(b› }] } } }", "E014",
     "defaults.record.redact.patterns[0].regex cannot be used: missing ): a(b", ""},
    {"defaults: { record: { redact: { patterns: [{ regex: ‹a*› }] } } }", "E014",
     "defaults.record.redact.patterns[0].regex cannot be used: it matches the empty text", ""},
    {"defaults: { record: { redact: { patterns: [‹iban›] } } }", "E014",
     "defaults.record.redact.patterns[0] must be card, email or { regex: ... }, not 'iban'", ""},
    {"defaults: { record: { redact: { headers: [‹a b›] } } }", "E014",
     "defaults.record.redact.headers[0] must be a header name, not 'a b'", ""},
};

constexpr Case kTests[] = {
    {"tests: [{ request: ‹GET›, route: all }]", "E014",
     "tests[0].request must be a method and a target, such as GET /searches/42, not 'GET'", ""},
    {"tests:\n  - ‹{› request: GET / }", "E013", "tests[0] expects nothing", "route: NAME"},
    {"tests: [{ request: GET /, route: all }, { request: GET /, backend: ‹new› }]", "E025",
     "GET /: backend should be new and is legacy", ""},
    {"tests: [{ request: GET /, route: all, ‹shadow›: none }]", "E012",
     "unknown key 'shadow' in tests[0]", ""},
};

template <std::size_t n>
void check_all(const Case (&cases)[n]) {
  for (const Case& one : cases) check(one);
}

TEST_CASE("what YAML has and this format has not is refused where it stands") {
  check_all(kYaml);
}
TEST_CASE("wrong types and ranges are refused where they stand") {
  check_all(kTypes);
}
TEST_CASE("unknown, missing and ill-named keys are refused with the nearest one") {
  check_all(kKeys);
}
TEST_CASE("listeners that could not listen are refused") {
  check_all(kListeners);
}
TEST_CASE("backends that could not be reached are refused") {
  check_all(kBackends);
}
TEST_CASE("routes that contradict themselves are refused") {
  check_all(kRoutes);
}
TEST_CASE("recording that would surprise is refused") {
  check_all(kRecording);
}
TEST_CASE("tests that fail or test nothing are refused") {
  check_all(kTests);
}

}  // namespace
}  // namespace segue::config
