#include "warehouse/storage/s3_connections.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "runtime/owned_descriptor.hpp"

namespace segue::warehouse {
namespace {

using runtime::OwnedDescriptor;

// curl_global_init() must not run twice at once.
void begin_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct EndList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, EndList>;

void add(Headers& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

// What a request sends; curl may ask for it again from a place.
struct Sent {
  std::string_view content;
  OwnedDescriptor file;
  std::uint64_t file_offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t position = 0;
  int failure = 0;  // errno of reading the file

  explicit Sent(const S3Request& request) : content(request.content), bytes(content.size()) {
    if (!request.file) return;
    file = OwnedDescriptor(::open(request.file->file.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) failure = errno;
    file_offset = request.file->offset;
    bytes = request.file->bytes;
  }
};

std::size_t send_more(char* into, std::size_t size, std::size_t count, void* opaque) {
  auto& sent = *static_cast<Sent*>(opaque);
  const std::size_t most = std::min<std::uint64_t>(size * count, sent.bytes - sent.position);
  std::size_t got = most;
  if (sent.file.get() >= 0) {
    const ssize_t read = ::pread(sent.file.get(), into, most,
                                 static_cast<off_t>(sent.file_offset + sent.position));
    if (read < 0 || (read == 0 && most > 0)) {
      sent.failure = read < 0 ? errno : EIO;  // it became shorter
      return CURL_READFUNC_ABORT;
    }
    got = static_cast<std::size_t>(read);
  } else if (most > 0) {
    std::memcpy(into, sent.content.data() + sent.position, most);
  }
  sent.position += got;
  return got;
}

int send_from(void* opaque, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
  static_cast<Sent*>(opaque)->position = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

struct Received {
  S3Answer answer;
  std::uint64_t limit = 0;
  bool overflowed = false;
  bool head_ended = false;
  bool chunked = false;
  std::chrono::seconds retry_after{0};

  // libcurl takes a connection's end for that of a head, or of a body without a length: an object
  // would seem shorter than it is.
  bool cut_off(std::string_view method) const noexcept {
    const bool has_body = method != "HEAD" && answer.status != 204 && answer.status != 304;
    return !head_ended || (has_body && !chunked && !answer.length);
  }
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* opaque) {
  auto& received = *static_cast<Received*>(opaque);
  const std::size_t bytes = size * count;
  if (received.answer.body.size() + bytes > received.limit) {
    received.overflowed = true;
    return 0;  // anything but `bytes` ends the transfer
  }
  received.answer.body.append(data, bytes);
  return bytes;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* opaque) {
  auto& received = *static_cast<Received*>(opaque);
  const std::string_view line(data, size * count);
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {  // a 100 may have come before
    received.answer = {};
    received.head_ended = false;
  }
  if (line == "\r\n") received.head_ended = true;
  if (colon == std::string_view::npos) return line.size();
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  const auto is = [name](std::string_view wanted) {
    return name.size() == wanted.size() &&
           ::strncasecmp(name.data(), wanted.data(), name.size()) == 0;
  };
  if (is("etag")) received.answer.tag = value;
  if (is("x-amz-meta-segue-writer")) received.answer.writer = value;
  if (is("x-amz-bucket-region")) received.answer.region = value;
  if (is("date")) received.answer.date = value;
  if (is("content-length")) received.answer.length = number_of<std::uint64_t>(value);
  if (is("content-range"))  // "bytes 0-9/100"
    received.answer.whole = number_of<std::uint64_t>(value.substr(value.rfind('/') + 1));
  if (is("transfer-encoding")) received.chunked = true;
  if (is("retry-after"))
    received.retry_after = std::chrono::seconds(number_of<unsigned>(value).value_or(0));
  return line.size();
}

Headers headers_of(const S3Request& request, const S3Credentials& credentials,
                   const std::string& sha256, const S3Limits& limits) {
  Headers list;
  add(list, "x-amz-content-sha256: " + sha256);
  if (!credentials.session_token.empty())
    add(list, "x-amz-security-token: " + credentials.session_token);
  if (limits.clock)
    add(list, fmt::format("x-amz-date: {:%Y%m%dT%H%M%SZ}",
                          fmt::gmtime(std::chrono::system_clock::to_time_t(limits.clock()))));
  const std::string_view method = request.method;
  if (method == "PUT" || method == "POST") add(list, "Content-Type: application/octet-stream");
  for (const std::string& header : request.headers) add(list, header);
  return list;
}

// How `curl` is to send it; both live until it is sent.
void set_method(CURL* curl, const S3Request& request, Sent& sent) {
  const std::string_view method = request.method;
  const auto bytes = static_cast<curl_off_t>(sent.bytes);
  if (method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (method == "PUT" && request.file) {
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, bytes);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &send_more);
    curl_easy_setopt(curl, CURLOPT_READDATA, &sent);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, &send_from);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &sent);
  } else if (method == "PUT" || method == "POST") {
    // As a POST: libcurl would ask first (Expect: 100-continue) whether so small a PUT is welcome.
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, bytes);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent.bytes == 0 ? "" : sent.content.data());
  } else if (method == "DELETE") {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method);
  }
}

// libcurl asks about once a second, and whenever something comes.
struct End {
  const S3Limits& limits;
  std::optional<std::chrono::steady_clock::time_point> since{};
};

int shall_end(void* opaque, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& end = *static_cast<End*>(opaque);
  if (!end.limits.told_to_end()) return 0;
  const auto now = std::chrono::steady_clock::now();
  if (!end.since) end.since = now;
  return now - *end.since >= end.limits.ending ? 1 : 0;
}

Reach reach_of(CURLcode code) noexcept {
  switch (code) {
    case CURLE_OK:
      return Reach::answered;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_AGAIN:
      return Reach::passing;
    default:
      return Reach::refused;
  }
}

}  // namespace

void S3Connections::Close::operator()(void* handle) const noexcept { curl_easy_cleanup(handle); }

S3Connections::S3Connections(const S3Settings& settings, const S3Limits& limits)
    : settings_(settings),
      limits_(limits),
      signature_(fmt::format("aws:amz:{}:s3", settings.region)) {
  begin_curl();
}

S3Connections::~S3Connections() = default;

S3Connections::Handle S3Connections::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Handle handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  Handle handle(curl_easy_init());
  if (!handle) throw std::bad_alloc();
  return handle;
}

void S3Connections::give_back(Handle handle) {
  curl_easy_reset(handle.get());  // options go, the connection stays
  const std::lock_guard lock(mutex_);
  if (idle_.size() < limits_.idle_connections) idle_.push_back(std::move(handle));
}

void S3Connections::prepare(void* curl, const std::string& url,
                            const S3Credentials& credentials) const {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "segue");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(limits_.connect_timeout.count()));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(settings_.timeout).count();
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);  // octets a second
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(seconds));
  if (!settings_.ca.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca.c_str());
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, signature_.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, credentials.key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, credentials.secret.c_str());
}

Attempt S3Connections::perform(const std::string& url, const S3Request& request,
                               const S3Credentials& credentials, const std::string& sha256) {
  const auto unreadable = [](int failure) {
    return Attempt{.reach = Reach::unreadable,
                   .answer = {},
                   .why = std::generic_category().message(failure)};
  };
  Sent sent(request);
  if (sent.failure != 0) return unreadable(sent.failure);
  Handle handle = take();
  CURL* const curl = handle.get();
  prepare(curl, url, credentials);
  const Headers headers = headers_of(request, credentials, sha256, limits_);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  set_method(curl, request, sent);
  Received received;
  received.limit = request.most_bytes == 0 ? limits_.answer_bytes : request.most_bytes;
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &received);
  End end{.limits = limits_};
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &shall_end);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &end);
  std::array<char, CURL_ERROR_SIZE> why{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &received.answer.status);
  give_back(std::move(handle));
  if (sent.failure != 0) return unreadable(sent.failure);
  Attempt attempt{.reach = reach_of(code),
                  .answer = {},
                  .why = why[0] != '\0' ? why.data() : curl_easy_strerror(code),
                  .retry_after = received.retry_after};
  if (code == CURLE_OK && received.cut_off(request.method)) {
    attempt.reach = Reach::passing;
    attempt.why = "its answer was cut off";
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    attempt.reach = Reach::passing;
    attempt.why = "it was told to end before an answer came";
  }
  if (received.overflowed) attempt.why = fmt::format("it sends more than {} bytes", received.limit);
  attempt.answer = std::move(received.answer);
  return attempt;
}

}  // namespace segue::warehouse
