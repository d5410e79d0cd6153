// The npm package http-cache-tests, with its own client and server: what its client sees through
// the gateway is what it sees without. docs/http.md lists the cases in which it cannot be.

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <future>
#include <regex>
#include <set>
#include <string>

#include "tests/support/gateway_process.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {
namespace {

namespace json = boost::json;

constexpr std::size_t kCases = 350;  // of the version that http_cache.sh fetches

// Its server, which goes with its scope.
class CacheTestServer {
 public:
  CacheTestServer() {
    std::vector<std::string> arguments{"start", folder()};
    for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
    url_ = run_stack_script("http_cache.sh", arguments);
  }
  ~CacheTestServer() {
    try {
      run_stack_script("http_cache.sh", {"destroy", folder()});
    } catch (const TestFailure&) {
      // It goes with this process.
    }
  }
  CacheTestServer(const CacheTestServer&) = delete;
  CacheTestServer& operator=(const CacheTestServer&) = delete;

  const std::string& url() const { return url_; }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(url_.substr(url_.rfind(':') + 1)));
  }

 private:
  std::string folder() const { return (folder_ / "server").string(); }

  TempDir folder_;
  std::string url_;
};

json::object results_of(const std::string& url) {
  return json::parse(run_stack_script("http_cache.sh", {"run", url})).as_object();
}

// What a case found, without the address that it was asked at.
std::string words_of(const json::value& result) {
  static const std::regex address("http://[0-9.:]+/[^ \":]*");
  return std::regex_replace(json::serialize(result), address, "URL");
}

// The cases under "What a cache's client sees".
std::set<std::string> listed_breaches() {
  std::ifstream in(SEGUE_SOURCE_DIR "/docs/http.md");
  static const std::regex span("`([^`]+)`");
  std::set<std::string> listed;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) inside = line == "## What a cache's client sees";
    if (!inside || !line.starts_with("| ")) continue;
    for (std::sregex_iterator at(line.begin(), line.end(), span), end; at != end; ++at) {
      listed.insert((*at)[1]);
    }
  }
  return listed;
}

TEST_CASE("a cache's 350 questions are answered through the gateway as they are without it") {
  const CacheTestServer server;
  const GatewayProcess gateway(all_to(server.port()));
  auto without = std::async(std::launch::async, results_of, server.url());
  const auto through = results_of("http://127.0.0.1:" + std::to_string(gateway.port()));
  const auto direct = without.get();

  REQUIRE(direct.size() == kCases);
  REQUIRE(through.size() == kCases);
  std::size_t same_verdict = 0;
  std::set<std::string> other_words;
  for (const auto& [name, result] : direct) {
    INFO(name);
    REQUIRE(through.contains(name));
    const auto& seen = through.at(name);
    CHECK(seen.is_bool() == result.is_bool());
    if (seen.is_bool() == result.is_bool()) ++same_verdict;
    if (words_of(seen) != words_of(result)) {
      other_words.insert(name);
      UNSCOPED_INFO(name << " directly " << words_of(result) << ", through " << words_of(seen));
    }
  }
  CHECK(same_verdict == kCases);
  CHECK(other_words == listed_breaches());
}

}  // namespace
}  // namespace segue::test
