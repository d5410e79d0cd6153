#include "kafka/rest_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <iterator>
#include <mutex>
#include <utility>

#include "exchange/error.hpp"
#include "kafka/secret_file.hpp"

namespace segue::kafka {
namespace {

struct EndHandle {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct EndList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, EndList>;

// curl_global_init() must not run twice at once.
void begin_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct Sink {
  std::string text;
  std::size_t limit;
  bool overflowed = false;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* opaque) {
  auto& sink = *static_cast<Sink*>(opaque);
  const std::size_t bytes = size * count;
  if (sink.text.size() + bytes > sink.limit) {
    sink.overflowed = true;
    return 0;  // anything but `bytes` ends the transfer
  }
  sink.text.append(data, bytes);
  return bytes;
}

void check_url(const std::string& url) {
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  if (!known) throw StartupError(fmt::format("{}: not a URL with http:// or https://", url));
  const std::size_t host = url.find("//") + 2;
  const std::string_view authority =
      std::string_view(url).substr(host, url.find('/', host) - host);
  if (authority.find('@') != std::string_view::npos)
    throw StartupError("a URL holds credentials: give a user name and a password file instead");
}

Headers headers_for(const char* content_type) {
  Headers list(curl_slist_append(nullptr, "Accept: application/json"));
  if (content_type == nullptr) return list;
  const std::string line = fmt::format("Content-Type: {}", content_type);
  // The list's head stays the same once there is one.
  curl_slist_append(list.get(), line.c_str());
  return list;
}

}  // namespace

struct RestClient::State {
  RestSettings settings;
  std::string password;
  std::unique_ptr<CURL, EndHandle> handle;

  RestAnswer perform(std::string_view path, const std::string* body, const char* content_type);
  void prepare(CURL* curl, const std::string& url) const;
};

void RestClient::State::prepare(CURL* curl, const std::string& url) const {
  curl_easy_reset(curl);  // options go, the connection stays
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "segue");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(settings.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.total_timeout.count()));
  if (!settings.ca.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, settings.ca.c_str());
  if (settings.username.empty()) return;
  curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(curl, CURLOPT_USERNAME, settings.username.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
}

RestAnswer RestClient::State::perform(std::string_view path, const std::string* body,
                                      const char* content_type) {
  CURL* const curl = handle.get();
  prepare(curl, fmt::format("{}/{}", settings.url, path));
  const Headers headers = headers_for(content_type);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (body != nullptr) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
  }
  Sink sink{{}, settings.max_answer_bytes};
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  std::array<char, CURL_ERROR_SIZE> why{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  const CURLcode code = curl_easy_perform(curl);
  RestAnswer answer;
  if (code == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.body = std::move(sink.text);
  } else if (sink.overflowed) {
    answer.failure = fmt::format("the answer is longer than {} bytes", settings.max_answer_bytes);
  } else {
    answer.failure = why[0] != '\0' ? why.data() : curl_easy_strerror(code);
  }
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  return answer;
}

RestClient::RestClient(RestSettings settings) : state_(std::make_unique<State>()) {
  begin_curl();
  check_url(settings.url);
  while (settings.url.ends_with('/')) settings.url.pop_back();
  if (!settings.ca.empty()) check_readable(settings.ca, settings.ca_named_by);
  if (!settings.password_file.empty())
    state_->password = read_secret(settings.password_file, settings.password_named_by);
  state_->settings = std::move(settings);
  state_->handle.reset(curl_easy_init());
  if (!state_->handle) throw StartupError("cannot start an HTTP client: out of memory");
}

RestClient::~RestClient() = default;
RestClient::RestClient(RestClient&&) noexcept = default;
RestClient& RestClient::operator=(RestClient&&) noexcept = default;

RestAnswer RestClient::get(std::string_view path) {
  return state_->perform(path, nullptr, nullptr);
}

RestAnswer RestClient::post(std::string_view path, const std::string& body,
                            const char* content_type) {
  return state_->perform(path, &body, content_type);
}

const std::string& RestClient::url() const noexcept { return state_->settings.url; }

std::string escape_path_segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace segue::kafka
