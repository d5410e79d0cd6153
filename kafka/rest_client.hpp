#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace segue::kafka {

// Whom a RestClient asks and for how long it waits.
struct RestSettings {
  std::string url;           // http or https; what stands before every path
  std::filesystem::path ca;  // PEM; empty: the system's authorities
  std::string username;      // basic authentication; empty: none
  std::filesystem::path password_file;  // its first line
  // The keys or options that name these files, for whoever is told that one cannot be read.
  std::string ca_named_by;
  std::string password_named_by;
  std::chrono::milliseconds connect_timeout{3'000};
  std::chrono::milliseconds total_timeout{10'000};
  std::size_t max_answer_bytes = 8 << 20;
};

// What came of a request: an HTTP answer of any status, or why there is none.
struct RestAnswer {
  long status = 0;      // 0: no answer, see `failure`
  std::string body;
  std::string failure;  // one line: refused connection, TLS, timeout, answer too long

  bool good() const noexcept { return status >= 200 && status < 300; }
};

// Asks one REST API over HTTP/1.1 or 2 (libcurl): http and https alone, certificates verified, no
// redirects, no cookies; the environment's http_proxy and no_proxy count. Keeps its connection
// between requests. One thread at a time.
class RestClient {
 public:
  // Throws StartupError: a URL that is not http(s) or holds credentials, a file that cannot be read.
  explicit RestClient(RestSettings settings);
  ~RestClient();
  RestClient(RestClient&&) noexcept;
  RestClient& operator=(RestClient&&) noexcept;

  // `path` stands behind the URL and a slash, already escaped. Waits at most `total_timeout`.
  RestAnswer get(std::string_view path);
  RestAnswer post(std::string_view path, const std::string& body, const char* content_type);

  const std::string& url() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 3986: everything but unreserved characters as %XX.
std::string escape_path_segment(std::string_view text);

}  // namespace segue::kafka
