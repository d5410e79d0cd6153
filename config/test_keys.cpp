#include <algorithm>
#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "exchange/head.hpp"
#include "routing/escapes.hpp"

namespace segue::config {
namespace {

using routing::TestCase;

void read_request_line(const Place& place, Context& context, TestCase& test) {
  constexpr std::string_view kExpected = "a method and a target, such as GET /searches/42";
  const auto text = read_text(place, context, kExpected);
  if (!text) return;
  const auto space = text->find(' ');
  if (space == std::string::npos || space == 0 || text->find(' ', space + 1) != std::string::npos ||
      space + 1 == text->size()) {
    refuse_value(place, context, kExpected);
    return;
  }
  test.method = text->substr(0, space);
  const auto url = routing::split_absolute(std::string_view(*text).substr(space + 1));
  test.target = url.target;
  if (url.scheme.empty()) return;
  test.scheme = url.scheme;
  test.host = url.authority;
}

// The values of a map of texts, in file order.
std::vector<std::pair<std::string, std::string>> read_texts(const Place& place, Context& context) {
  std::vector<std::pair<std::string, std::string>> texts;
  if (!is_map(place, context)) return texts;
  for (const yaml::Entry& entry : place.node.entries)
    if (auto text = read_text(place.child(entry), context, "text"))
      texts.emplace_back(entry.key, std::move(*text));
  return texts;
}

void read_headers(const Place& place, Context& context, TestCase& test) {
  for (auto& [name, value] : read_texts(place, context)) {
    if (equals_ignoring_case(name, "host"))
      test.host = std::move(value);
    else
      test.headers.emplace_back(name, std::move(value));
  }
}

void read_params(const Place& place, Context& context, TestCase& test) {
  auto& params = test.params.emplace();
  for (auto& [name, value] : read_texts(place, context)) params.emplace(name, std::move(value));
}

Key<TestCase> expectation(std::string name, std::optional<std::string> TestCase::* where,
                          std::string about) {
  return key<TestCase>(std::move(name), where, Optional<Text>{}, std::move(about));
}

}  // namespace

Keys<TestCase> test_keys() {
  return {
      required(special_key<TestCase>("request", "request line", "", "`GET /searches/42`, or `GET https://shop.example/`",
                                     read_request_line)),
      special_key<TestCase>("headers", "map of texts", "", "of the request; `host` too",
                            read_headers),
      expectation("key", &TestCase::key, "value of the sticky key"),
      expectation("route", &TestCase::route, "name of the route that wins; `none`: no route"),
      expectation("not_route", &TestCase::not_route, "name of a route that must not win"),
      expectation("backend", &TestCase::backend,
                  "where the request goes; `none`: the gateway answers"),
      expectation("shadow", &TestCase::shadow,
                  "backend that gets a copy, were all requests copied; `none`: no backend does"),
      special_key<TestCase>("split", "{ legacy: percent, new: percent }", "", "of the route",
                            [](const Place& place, Context& context, TestCase& test) {
                              test.split = read_expected_split(place, context);
                            }),
      expectation("upstream_path", &TestCase::upstream_path, "target that the backend sees"),
      expectation("location", &TestCase::location, "where a redirect leads; `none`: no redirect"),
      special_key<TestCase>("params", "map of texts", "", "parameters of the path, by name",
                            read_params),
      special_key<TestCase>("status", Count{100, 599}.type(), "",
                            "what the gateway itself answers: 404 no route, 400 path confusion, or the "
                            "status of a redirect or respond",
                            [](const Place& place, Context& context, TestCase& test) {
                              if (const auto status = Count{100, 599}.read(place, context))
                                test.status = static_cast<int>(*status);
                            }),
  };
}

}  // namespace segue::config
