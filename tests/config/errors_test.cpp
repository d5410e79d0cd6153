#include <catch2/catch_test_macros.hpp>
#include <string_view>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

// What is wrong stands between ‹ and ›; the other top-level keys are those of a valid file.
using Case = testing::Wrong;

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
    {"limits: { ‹colour›: 5 }", "E012", "unknown key 'colour' in limits", ""},
    {"routes:\n  all:\n    match: { ‹metod›: GET }\n    to: legacy", "E012",
     "unknown key 'metod' in routes.all.match", "did you mean 'method'?"},
    {"routes:\n  ‹all›: { to: legacy }", "E013", "routes.all needs 'match'", ""},
    {"routes:\n  ‹all›: { match: {} }", "E013", "routes.all needs 'to' or 'split' or 'redirect' or 'respond'",
     ""},
    {"routes: { ‹a.b›: { match: {}, to: legacy } }", "E019", "'a.b' cannot be the name of a route",
     "letters, digits, '-' and '_', at most 64"},
};

constexpr Case kListeners[] = {
    {"listeners: { public: { address: ‹localhost:80› } }", "E014",
     "listeners.public.address must be an IP address and a port, such as 0.0.0.0:8080, or "
     "unix:PATH, not 'localhost:80'",
     "write 127.0.0.1:80"},
    {"listeners: { public: { address: ‹\":8080\"› } }", "E014",
     "listeners.public.address must be an IP address and a port, such as 0.0.0.0:8080, or "
     "unix:PATH, not ':8080'",
     "write 0.0.0.0:8080"},
    {"listeners: { public: { address: ‹\"${SEGUE_NO_SUCH_VARIABLE}:80\"› } }", "E018",
     "the environment variable 'SEGUE_NO_SUCH_VARIABLE' is not set", ""},
    {"listeners: { public: { address: ‹\"unix:\"› } }", "E014",
     "listeners.public.address must be unix: and the path of a socket, such as "
     "unix:/run/segue.sock, not 'unix:'",
     ""},
    {"listeners: { public: { address: ‹\"unix:/0123456789012345678901234567890123456789012345678901"
     "2345678901234567890123456789012345678901234567890123456\"› } }",
     "E011",
     "listeners.public.address must be at most 107 bytes long to name a socket, and "
     "/01234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456 has 108",
     "choose a shorter path"},
    {"listeners:\n  a: { address: \"unix:/run/a\" }\n  b: { address: ‹\"unix:/run/../run/a\"› }",
     "E020", "another listener has the address of 'b'", ""},
    {"service: { name: ‹\"${HOME}\"› }", "E018", "${...} is not replaced in service.name",
     "the environment is read in addresses only"},
    {"‹listeners›: { probe: { address: \"127.0.0.1:0\" } }", "E020", "no listener is public",
     "public: { address: \"0.0.0.0:8080\" }"},
    {"listeners:\n  a: { address: \"127.0.0.1:80\" }\n  b: { address: ‹\"127.0.0.1:80\"› }", "E020",
     "another listener has the address of 'b'", ""},
    {"listeners: { public: { address: \"[::1]:0\", trusted_proxies: [‹10.0.0.0/33›] } }", "E014",
     "listeners.public.trusted_proxies[0] must be an IP address, a block such as 10.0.0.0/8, or "
     "unix, not "
     "'10.0.0.0/33'",
     ""},
    {"listeners: { public: { address: \"[::1]:0\", ‹proxy_protocol›: any } }", "E013",
     "listeners.public.proxy_protocol needs 'trusted_proxies': who may say where a client comes "
     "from",
     "list the load balancers, such as trusted_proxies: [10.0.0.0/8]"},
    {"listeners: { public: { address: \"[::1]:0\", trusted_proxies: [], ‹proxy_protocol›: v1 } }",
     "E013",
     "listeners.public.proxy_protocol needs 'trusted_proxies': who may say where a client comes "
     "from",
     "list the load balancers, such as trusted_proxies: [10.0.0.0/8]"},
    {"listeners: { public: { address: \"[::1]:0\", proxy_protocol: v2, trusted_proxies: ‹[›unix] } }",
     "E014", "listeners.public.trusted_proxies names nobody who can connect to this address",
     "add the addresses of the load balancers"},
    {"listeners: { public: { address: \"unix:/run/a\", proxy_protocol: v2, "
     "trusted_proxies: ‹[›10.0.0.0/8] } }",
     "E014", "listeners.public.trusted_proxies names nobody who can connect to this address",
     "add unix"},
    {"listeners: { public: { address: \"[::1]:0\" }, probe: { address: \"[::1]:0\", "
     "‹proxy_protocol›: v1 } }",
     "E015", "listeners.probe.proxy_protocol: a probe listener takes no such header",
     "leave it out, and bind the listener where only probes reach it"},
    {"listeners: { public: { address: \"[::1]:0\" }, probe: { address: \"[::1]:0\", "
     "‹trusted_proxies›: [\"::1\"] } }",
     "E015", "listeners.probe.trusted_proxies: a probe listener answers whoever can connect",
     "leave it out, and bind the listener where only probes reach it"},
    {"listeners: { public: { address: \"[::1]:0\" }, probe: { address: \"[::1]:0\", "
     "‹exchange_id_header›: true } }",
     "E015", "listeners.probe.exchange_id_header: a probe listener answers whoever can connect",
     "leave it out, and bind the listener where only probes reach it"},
    {"listeners: { public: { address: \"[::1]:0\" }, probe: { address: \"[::1]:0\", "
     "‹underscore_names›: refuse } }",
     "E015", "listeners.probe.underscore_names: a probe listener answers whoever can connect",
     "leave it out, and bind the listener where only probes reach it"},
    {"listeners: { public: { address: \"[::1]:0\", trusted_proxies: [\"::1\"], "
     "proxy_protocol: ‹yes› } }",
     "E014", "listeners.public.proxy_protocol must be one of off, v1, v2, any, not 'yes'", ""},
    {"limits: { per_client: ‹0› }", "E011", "limits.per_client must be between 1 and 1000000, not 0",
     ""},
    {"listeners: { public: { address: \"[::1]:0\", tls: { certificates: [{ cert: a, key: ‹b› }] } "
     "} }",
     "E024", "listeners.public.tls.certificates[0].key is a secret and cannot be written here",
     "write { file: path }"},
    {"listeners: { public: { address: \"[::1]:0\", tls: { certificates: ‹[›] } } }", "E011",
     "listeners.public.tls.certificates must have 1 to 256 entries, not 0", ""},
    {"listeners: { public: { address: \"[::1]:0\", ‹tls›: { certificates: [{ cert: a, key: { file: "
     "b } }], client_certificates: required } } }",
     "E013",
     "listeners.public.tls needs 'client_ca': who may have signed the certificates of "
     "clients",
     ""},
    {"listeners: { public: { address: \"[::1]:0\", tls: { certificates: [{ cert: a, key: { file: "
     "b } }], ‹client_ca›: c } } }",
     "E015", "listeners.public.tls.client_ca has no use: no certificate is asked for",
     "write 'client_certificates: required', or 'optional'"},
    {"listeners: { public: { address: \"[::1]:0\" }, probe: { address: \"[::1]:0\", ‹tls›: { "
     "certificates: [{ cert: a, key: { file: b } }] } } }",
     "E015", "listeners.probe.tls: a probe listener speaks plain HTTP",
     "leave it out, and bind the listener where only probes reach it"},
};

constexpr Case kBackends[] = {
    {"backends: { legacy: { endpoints: [‹\"http://a:80\"›] } }", "E014",
     "backends.legacy.endpoints[0] must be host:port, such as php.internal:80, or unix:PATH, not "
     "'http://a:80'",
     "no scheme: 'tls' switches TLS on"},
    {"backends: { legacy: { ‹endpoints›: [] } }", "E011",
     "backends.legacy.endpoints must not be empty", ""},
    {"backends: { legacy: { endpoints: [\"a:1\", \"b:1\"], ‹tls›: {} } }", "E013",
     "backends.legacy.tls needs 'server_name': the endpoints have different hosts", ""},
    {"backends: { legacy: { endpoints: [\"a:1\"], ‹tls›: { cert: a.pem } } }", "E013",
     "backends.legacy.tls needs both 'cert' and 'key', or neither", ""},
    {"backends: { legacy: { endpoints: [\"unix:/run/a\"], ‹tls›: {} } }", "E013",
     "backends.legacy.tls needs 'server_name': a socket has no host", ""},
    {"backends: { legacy: { endpoints: [‹\"unix:\"›] } }", "E014",
     "backends.legacy.endpoints[0] must be unix: and the path of a socket, such as "
     "unix:/run/segue.sock, not 'unix:'",
     ""},
    {"backends: { legacy: { endpoints: [\"a:1\"], ejection: { base: ‹2m› } } }", "E011",
     "backends.legacy.ejection.base is 2m, longer than its max of 1m", ""},
    {"backends: { legacy: { endpoints: [\"a:1\"], balance: ‹random› } }", "E014",
     "backends.legacy.balance must be one of round_robin, least_requests, not 'random'", ""},
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
    {"defaults: { record: { redact: {}, bodies: { digest: ‹sha265› } } }", "E014",
     "defaults.record.bodies.digest must be one of none, sha256, not 'sha265'",
     "did you mean 'sha256'?"},
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
     "E029", "account ids of 'all' are hashed, and every gateway would make a key of its own",
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

// A route whose `shadow` has these keys; the marks are theirs.
#define ROUTE_WITH(keys) "routes: { all: { match: {}, to: legacy, " keys " } }"

constexpr Case kShadows[] = {
    {ROUTE_WITH("‹shadow›: { percent: 20 }"), "E013", "routes.all.shadow needs 'to'", ""},
    {ROUTE_WITH("‹shadow›: { to: new }"), "E013", "routes.all.shadow needs 'percent'", ""},
    {ROUTE_WITH("shadow: ‹new›"), "E010", "routes.all.shadow must be a map, not 'new'", ""},
    {ROUTE_WITH("shadow: { to: new, percent: 20, ‹delay›: 1s }"), "E012",
     "unknown key 'delay' in routes.all.shadow", ""},
    {ROUTE_WITH("shadow: { to: new, percent: ‹20%› }"), "E014",
     "routes.all.shadow.percent must be a percentage from 0 to 100, with two decimals at most, "
     "not '20%'",
     "a plain number, without '%'"},
    {ROUTE_WITH("shadow: { to: new, percent: 20, control_percent: ‹30› }"), "E011",
     "routes.all.shadow.control_percent is 30 and more than its percent, 20",
     "only requests that are copied are sent to the same backend again, too"},
    {"defaults: { record: { redact: {} }, shadow: { control_percent: ‹5› } }\n" ROUTE_WITH(
         "shadow: { to: new, percent: 0.5 }"),
     "E011", "routes.all.shadow.control_percent is 5 and more than its percent, 0.5",
     "only requests that are copied are sent to the same backend again, too"},
    {ROUTE_WITH("shadow: { to: new, percent: 20, writes: ‹\"\"› }"), "E014",
     "routes.all.shadow.writes must be text, not ''", ""},
    {ROUTE_WITH("shadow: { to: new, percent: 20, max_in_flight: ‹0› }"), "E011",
     "routes.all.shadow.max_in_flight must be between 1 and 100000, not 0", ""},
    {ROUTE_WITH("shadow: { to: new, percent: 20, max_body: ‹2GiB› }"), "E011",
     "routes.all.shadow.max_body must be between 0B and 8MiB, not 2GiB", ""},
    {ROUTE_WITH("shadow: { to: new, percent: 20, timeout: ‹2› }"), "E014",
     "routes.all.shadow.timeout must be a duration such as 250ms, 5s or 10m, not the number 2",
     "add a unit: 2s or 2ms"},
    {ROUTE_WITH("shadow: { to: new, percent: 20, remove_headers: [‹a b›] }"), "E014",
     "routes.all.shadow.remove_headers[0] must be a header name, not 'a b'", ""},
    {ROUTE_WITH("shadow: { to: ‹nwe›, percent: 20 }"), "E016", "no backend is called 'nwe'",
     "did you mean 'new'?"},
    {ROUTE_WITH("shadow: { to: ‹legacy›, percent: 20 }"), "E061",
     "the route goes to 'legacy' already",
     "name the other backend; `control_percent` sends to the same one again"},
    {ROUTE_WITH("shadow: { to: ‹other›, percent: 20 }"), "E062",
     "'other' is the arm that a split did not choose, and this route has no split",
     "one of: legacy, new"},
    {"routes: { all: { match: { method: [GET, POST] }, to: legacy, ‹shadow›: { to: new, percent: "
     "20 } } }",
     "E063", "a copy of a POST has effects, and nothing says where they go",
     "writes: \"where they go\", or match GET, HEAD and OPTIONS only"},
    {"defaults: { record: { redact: {} }, shadow: { ‹to›: new } }", "E012",
     "'to' is said by each route that has a shadow, not by defaults",
     "routes: { NAME: { shadow: { to: ... } } }"},
    {"defaults: { record: { redact: {} }, shadow: { ‹percent›: 5 } }", "E012",
     "'percent' is said by each route that has a shadow, not by defaults",
     "routes: { NAME: { shadow: { percent: ... } } }"},
    {"defaults: { record: { redact: {} }, shadow: { ‹writes›: x } }", "E012",
     "'writes' is said by each route that has a shadow, not by defaults",
     "routes: { NAME: { shadow: { writes: ... } } }"},
    {"defaults: { record: { redact: {} }, shadow: { timeout: ‹0ms› } }", "E011",
     "defaults.shadow.timeout must be between 1ms and 24h, not 0ms", ""},
};

constexpr Case kComparing[] = {
    {ROUTE_WITH("compare: { ignore_json: [‹$a›] }"), "E014",
     "routes.all.compare.ignore_json[0] is no JSON path: '$a', at character 2: a step begins "
     "with . or [",
     ""},
    {ROUTE_WITH("compare: { ignore_headers: [‹a b›] }"), "E014",
     "routes.all.compare.ignore_headers[0] must be a header name, not 'a b'", ""},
    {ROUTE_WITH("compare: { json: [‹$.a›] }"), "E010",
     "routes.all.compare.json[0] must be a map, not '$.a'", ""},
    {ROUTE_WITH("compare: { json: [‹{› array: set }] }"), "E013",
     "routes.all.compare.json[0] needs 'path'", ""},
    {ROUTE_WITH("compare: { json: [‹{› path: $.a }] }"), "E013",
     "routes.all.compare.json[0] does not say how '$.a' is compared",
     "array: set, tolerance: 1e-9 or ignore: uuid"},
    {ROUTE_WITH("compare: { json: [{ path: ‹a›, array: set }] }"), "E014",
     "routes.all.compare.json[0].path is no JSON path: 'a', at character 1: a path begins with $",
     ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, array: ‹sett› }] }"), "E014",
     "routes.all.compare.json[0].array must be ordered, set or \"by: $.id\", not 'sett'",
     "did you mean 'set'?"},
    {ROUTE_WITH("compare: { json: [{ path: $.a, array: ‹{› by: $.id } }] }"), "E010",
     "routes.all.compare.json[0].array must be ordered, set or \"by: $.id\", not a map", ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, array: ‹\"by: id\"› }] }"), "E014",
     "routes.all.compare.json[0].array has no JSON path after 'by:': 'id', at character 1: a path "
     "begins with $",
     ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, array: ‹\"by: $..id\"› }] }"), "E014",
     "routes.all.compare.json[0].array needs one value of each element after 'by:', not '$..id'",
     "\"by: $.id\"; `set` matches equal elements"},
    {ROUTE_WITH("compare: { json: [{ path: $.a, tolerance: ‹-1› }] }"), "E014",
     "routes.all.compare.json[0].tolerance must be a number from 0, such as 1e-9, not the number "
     "-1",
     ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, tolerance: ‹\"1\"› }] }"), "E014",
     "routes.all.compare.json[0].tolerance must be a number from 0, such as 1e-9, not '1'", ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, tolerance: ‹1%› }] }"), "E014",
     "routes.all.compare.json[0].tolerance must be a number from 0, such as 1e-9, not '1%'", ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, ignore: ‹a(b› }] }"), "E014",
     "routes.all.compare.json[0].ignore cannot be used: missing ): a(b", ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, ignore: ‹\".{1000}\"› }] }"), "E014",
     "routes.all.compare.json[0].ignore cannot be used: it has 8004 instructions, more than 5000",
     ""},
    {ROUTE_WITH("compare: { json: [{ path: $.a, ignore: ‹uid› }] }"), "E014",
     "routes.all.compare.json[0].ignore must be uuid, timestamp or a regular expression, not 'uid'",
     "did you mean 'uuid'?"},
    {ROUTE_WITH("compare: { min_pairs: ‹0› }"), "E011",
     "routes.all.compare.min_pairs must be between 1 and 1000000000, not 0", ""},
    {"defaults: { record: { redact: {} }, compare: { ignore_json: [‹'$['›] } }", "E014",
     "defaults.compare.ignore_json[0] is no JSON path: '$[', at character 3: brackets hold "
     "'name', an index or *",
     ""},
    {"live_comparison: { percent: ‹101› }", "E014",
     "live_comparison.percent must be a percentage from 0 to 100, with two decimals at most, not "
     "the number 101",
     ""},
    {"live_comparison: { queue: ‹0› }", "E011",
     "live_comparison.queue must be between 1 and 1000000, not 0", ""},
    {"live_comparison: { ‹share›: 5 }", "E012", "unknown key 'share' in live_comparison", ""},
};

#undef ROUTE_WITH

constexpr Case kTests[] = {
    {"tests: [{ request: ‹GET›, route: all }]", "E014",
     "tests[0].request must be a method and a target, such as GET /searches/42, not 'GET'", ""},
    {"tests:\n  - ‹{› request: GET / }", "E013", "tests[0] expects nothing", "route: NAME"},
    {"tests: [{ request: GET /, route: all }, { request: GET /, backend: ‹new› }]", "E025",
     "GET /: backend should be new and is legacy", ""},
    {"routes: { all: { match: {}, to: legacy, shadow: { to: new, percent: 1 } } }\n"
     "tests: [{ request: GET /, shadow: new }, { request: POST /, shadow: ‹new› }]",
     "E025", "POST /: shadow should be new and is none", ""},
    {"tests: [{ request: GET /, shadow: none }, { request: GET /, shadow: ‹new› }]", "E025",
     "GET /: shadow should be new and is none", ""},
};

template <std::size_t n>
void check_all(const Case (&cases)[n]) {
  for (const Case& one : cases) testing::check_wrong(one);
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
TEST_CASE("shadows that would do harm or nothing are refused") {
  check_all(kShadows);
}
TEST_CASE("rules of comparing that could not be followed are refused") {
  check_all(kComparing);
}
TEST_CASE("tests that fail or test nothing are refused") {
  check_all(kTests);
}

}  // namespace
}  // namespace segue::config
