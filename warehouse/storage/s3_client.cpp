#include "warehouse/storage/s3_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <random>
#include <thread>

#include "warehouse/storage/object_store.hpp"
#include "warehouse/storage/s3_answers.hpp"
#include "warehouse/storage/s3_connections.hpp"
#include "warehouse/storage/s3_credentials.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {
namespace {

template <std::size_t N>
bool among(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

// Complaints that another attempt may not meet, whatever their status.
constexpr std::array<std::string_view, 8> kPassingCodes{
    "SlowDown",            "InternalError", "ServiceUnavailable", "RequestTimeout",
    "ThrottlingException", "BadDigest",     "IncompleteBody",     "XAmzContentSHA256Mismatch"};
// 409: others write at the same time; a server under such a race may give it odd names.
constexpr std::array<long, 7> kPassingStatuses{408, 409, 429, 500, 502, 503, 504};
constexpr std::array<std::string_view, 3> kExpiredCodes{"ExpiredToken", "ExpiredTokenException",
                                                        "TokenRefreshRequired"};
// What is simply not there. Other complaints may come with 404, too.
constexpr std::array<std::string_view, 4> kAbsentCodes{"", "NoSuchKey", "NotFound",
                                                       "NoSuchUpload"};

// RFC 3986: everything but unreserved octets as %XX, as signatures want it. `kept` stay.
std::string escaped(std::string_view text, char kept = '\0') {
  std::string out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(kept, at), text.size());
    if (end > at) {
      char* const piece = curl_easy_escape(nullptr, text.data() + at, static_cast<int>(end - at));
      if (piece == nullptr) throw std::bad_alloc();
      out += piece;
      curl_free(piece);
    }
    if (end < text.size()) out += kept;
    at = end + 1;
  }
  return out;
}

std::string query_of(const S3Request& request) {
  std::vector<std::string> pairs;
  for (const auto& [name, value] : request.query)
    pairs.push_back(fmt::format("{}={}", escaped(name), escaped(value)));
  std::ranges::sort(pairs);
  return pairs.empty() ? "" : fmt::format("?{}", fmt::join(pairs, "&"));
}

// Where the bucket is: "https://host/bucket" or "https://bucket.host".
std::string bucket_url(const std::string& name, const std::string& bucket,
                       const S3Settings& settings) {
  std::string endpoint = settings.endpoint;
  if (endpoint.empty()) endpoint = fmt::format("https://s3.{}.amazonaws.com", settings.region);
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const bool http = endpoint.starts_with("http://") || endpoint.starts_with("https://");
  const std::size_t host = http ? endpoint.find("//") + 2 : 0;
  if (!http || host == endpoint.size() || endpoint.find_first_of("/?#@", host) != std::string::npos)
    throw StorageError(fmt::format("{}: archive.s3.endpoint '{}' is no URL of a server: write "
                                   "https://HOST or https://HOST:PORT",
                                   name, settings.endpoint));
  if (settings.path_style) return fmt::format("{}/{}", endpoint, escaped(bucket));
  return endpoint.insert(host, escaped(bucket) + ".");
}


enum class Verdict : std::uint8_t { taken, again, with_new_credentials, refused };

// Puts the server's complaint, if there is one, into its answer.
void read_complaint(const S3Request& request, S3Answer& answer) {
  // A long completion says 200 first, and complains then.
  const bool may_complain = !answer.good() || std::string_view(request.method) == "POST";
  const auto complaint = may_complain ? parse_complaint(answer.body) : std::nullopt;
  if (!complaint) return;
  answer.code = complaint->code;
  answer.message = complaint->message;
  if (answer.region.empty()) answer.region = complaint->region;
  if (answer.good()) answer.status = answer.code == "PreconditionFailed" ? 412 : 500;
}

Verdict verdict_of(const S3Answer& answer) noexcept {
  if (answer.good() || answer.precondition_failed() || answer.status == 416) return Verdict::taken;
  if (answer.absent() && among(kAbsentCodes, answer.code)) return Verdict::taken;
  if (among(kExpiredCodes, answer.code)) return Verdict::with_new_credentials;
  const bool passing = among(kPassingCodes, answer.code) ||
                       std::ranges::find(kPassingStatuses, answer.status) != kPassingStatuses.end();
  return passing ? Verdict::again : Verdict::refused;
}

}  // namespace

struct S3Client::State {
  State(std::string store, std::string in, S3Settings how, S3Limits most)
      : name(std::move(store)),
        bucket(std::move(in)),
        settings(std::move(how)),
        limits(std::move(most)),
        url(bucket_url(name, bucket, settings)),
        connections(settings, limits) {}

  const std::string name;
  const std::string bucket;
  const S3Settings settings;
  const S3Limits limits;
  const std::string url;
  S3Connections connections;
  std::mutex mutex;
  S3Credentials credentials;

  S3Credentials signer() {
    const std::lock_guard lock(mutex);
    if (credentials.key_id.empty()) credentials = find_credentials(settings);
    return credentials;
  }

  // Whether there are others now than `expired`.
  bool renewed(const S3Credentials& expired) {
    const std::lock_guard lock(mutex);
    credentials = find_credentials(settings);
    return credentials != expired;
  }

  [[noreturn]] void unreachable(const Attempt& attempt, unsigned attempts) const {
    const bool here = attempt.reach == Reach::refused;
    throw RemoteError(fmt::format(
        "{}: {} does not answer: {} ({}): {}", name, url, attempt.why,
        attempts == 1 ? "tried once" : fmt::format("tried {} times", attempts),
        here ? "check archive.s3.endpoint and, for TLS, archive.s3.ca"
             : "check archive.s3.endpoint, and whether the server is up"));
  }

  [[noreturn]] void refuse(const S3Request& request, const S3Answer& answer,
                           const S3Credentials& signer) const;
  [[noreturn]] void say(const std::string& what) const {
    throw RemoteError(fmt::format("{}: {}: {}", name, url, what));
  }
  std::string skew_of(const S3Answer& answer) const;
};

std::string S3Client::State::skew_of(const S3Answer& answer) const {
  const std::time_t server = curl_getdate(answer.date.c_str(), nullptr);
  const std::time_t own = std::chrono::system_clock::to_time_t(
      limits.clock ? limits.clock() : std::chrono::system_clock::now());
  if (server < 0) return "the clock of this machine is not that of the server";
  return fmt::format("the clock of this machine is {} s {} the server's",
                     std::abs(static_cast<long long>(server - own)),
                     own < server ? "behind" : "ahead of");
}

void S3Client::State::refuse(const S3Request& request, const S3Answer& answer,
                             const S3Credentials& signer) const {
  const std::string& code = answer.code;
  if (code == "SignatureDoesNotMatch")
    say(fmt::format("the secret is not that of access key '{}': check {}", signer.key_id,
                    signer.from));
  if (code == "InvalidAccessKeyId" || code == "XAdminUserNotFound")  // versitygw's
    say(fmt::format("it knows no access key '{}': check {}", signer.key_id, signer.from));
  if (code == "RequestTimeTooSkewed" || code == "RequestExpired")
    say(skew_of(answer) + ": set it right (NTP)");
  if (among(kExpiredCodes, code))
    say(fmt::format("the session of access key '{}' has ended: renew {}", signer.key_id,
                    signer.from));
  if (code == "NoSuchBucket")
    say(fmt::format("there is no bucket '{}': make it, or change archive.to", bucket));
  const bool elsewhere = answer.status == 301 || answer.status == 307 ||
                         code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect";
  if (elsewhere)
    say(fmt::format("bucket '{}' is not in region '{}'{}: set archive.s3.region, and the endpoint "
                    "of that region",
                    bucket, settings.region,
                    answer.region.empty() ? "" : fmt::format(" but in '{}'", answer.region)));
  if (code == "NotImplemented")
    say(fmt::format("it has not implemented what an archive needs ({} of '{}'): use another S3 "
                    "server",
                    request.method, request.key));
  if (answer.status == 403)
    say(fmt::format("access key '{}' may not {} '{}' in bucket '{}'{}: allow it to list the bucket "
                    "and to get, put and delete objects",
                    signer.key_id, request.method, request.key, bucket,
                    code.empty() ? "" : fmt::format(" ({})", code)));
  say(fmt::format("{} of '{}' in bucket '{}': it answers {} {}{}{}", request.method, request.key,
                  bucket, answer.status, code, answer.message.empty() ? "" : ": ",
                  answer.message));
}

S3Client::S3Client(std::string name, std::string bucket, S3Settings settings, S3Limits limits)
    : state_(std::make_unique<State>(std::move(name), std::move(bucket), std::move(settings),
                                     std::move(limits))) {}

S3Client::~S3Client() = default;
const std::string& S3Client::name() const noexcept { return state_->name; }
const S3Limits& S3Client::limits() const noexcept { return state_->limits; }

// At least half of what it doubles to, so that those who failed together do not return together.
void S3Client::pause(unsigned attempt, std::chrono::seconds at_least) const {
  constexpr unsigned kDoublings = 16;
  const S3Limits& most = state_->limits;
  auto full = most.longest_pause;
  if (attempt < kDoublings) full = std::min(full, most.first_pause * (1U << attempt));
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> some(full.count() / 2, full.count());
  constexpr std::chrono::milliseconds kSlice{100};
  auto left = std::clamp<std::chrono::milliseconds>(
      at_least, std::chrono::milliseconds(some(random)), most.longest_pause);
  for (; left > left.zero() && !most.told_to_end(); left -= kSlice)
    std::this_thread::sleep_for(std::min(left, kSlice));
}

S3Answer S3Client::ask(const S3Request& request) {
  State& state = *state_;
  const std::string url = fmt::format("{}{}{}{}", state.url, request.key.empty() ? "" : "/",
                                      escaped(request.key, '/'), query_of(request));
  const auto& file = request.file;
  const std::string sha256 = file ? sha256_of(file->file, file->offset, file->bytes)
                                  : sha256_of(request.content);
  const unsigned attempts = request.attempts == 0 ? state.limits.attempts : request.attempts;
  S3Credentials signer = state.signer();
  for (unsigned tried = 1;; ++tried) {
    Attempt attempt = state.connections.perform(url, request, signer, sha256);
    if (attempt.reach == Reach::unreadable)
      throw StorageError(
          fmt::format("{}: cannot read the file: {}", file->file.string(), attempt.why));
    if (attempt.reach == Reach::refused) state.unreachable(attempt, tried);
    const bool last = tried >= attempts || state.limits.told_to_end();
    if (attempt.reach == Reach::passing) {
      if (last) state.unreachable(attempt, tried);
    } else {
      read_complaint(request, attempt.answer);
      const Verdict verdict = verdict_of(attempt.answer);
      if (verdict == Verdict::taken) return std::move(attempt.answer);
      const bool renewed = verdict == Verdict::with_new_credentials && state.renewed(signer);
      if (last || (verdict != Verdict::again && !renewed))
        state.refuse(request, attempt.answer, signer);
      if (renewed) signer = state.signer();
    }
    pause(tried - 1, attempt.retry_after);
  }
}

}  // namespace segue::warehouse
