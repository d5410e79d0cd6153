#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

// Both sides of a gateway that routes /open and nothing else: what a client says in raw bytes, and
// every byte that a backend hears of it.
namespace segue::test {

// A request that no backend may ever see: the gateway itself answers it with 404.
inline constexpr std::string_view kHidden = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";

// Everything below /open to the backend at `port`.
ConfigText only_open(std::uint16_t port, std::string_view backend_keys = {});

// A server that believes all that it is sent: it answers every request that it finds in the bytes.
class Believer {
 public:
  // `answer`: what it says to each of them, as bytes.
  explicit Believer(std::string answer = response_with(200, "x"));

  std::uint16_t port() const { return backend_.port(); }
  std::size_t connections() const { return backend_.connections(); }
  std::vector<Message> requests() const { return backend_.requests(); }
  // The first lines of all requests, in their order.
  std::vector<std::string> lines() const;
  // What came on any connection that ended and was no request.
  std::string stray() const;

 private:
  mutable std::mutex mutex_;
  std::string stray_;
  ScriptedBackend backend_;  // last: its threads use the others
};

// The answer without the Date that the gateway has added to it, as it stands on the wire; fails when
// there is none.
std::string undated(std::string answer);
inline constexpr std::size_t kDateLineBytes = 37;

// One exchange in bytes, on both sides. {added} stands for what the gateway adds to a request for
// the host `a` over HTTP/1.1; bodies at the backend are without their chunks. `at_client` is without
// Date where the backend says none: that the gateway has added one is checked.
struct PassingCase {
  std::string_view name;
  std::string_view request;
  std::string_view at_backend;
  std::string_view answer;
  std::string_view at_client;
};

inline constexpr std::string_view kPlain = "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";
inline constexpr std::string_view kPlainAtBackend = "GET /open HTTP/1.1\r\nHost: a\r\n{added}";
inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
inline constexpr std::string_view kOkAtClient =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 segue\r\n\r\nok";

// Sends it through a gateway of its own and compares every byte.
void check_passing(const PassingCase& row, std::string_view listener_keys = {},
                   std::string_view backend_keys = {});

// "HTTP/1.1 STATUS" of every answer until the connection ends or `wanted` came, as numbers.
std::vector<int> statuses(RawClient& client, std::size_t wanted);

// The connection was closed, and nothing more came on it.
bool ended_without_more(RawClient& client);

}  // namespace segue::test
