#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/storage/location.hpp"

namespace segue::warehouse {

struct S3Limits {
  unsigned attempts = 8;  // of a request whose failure may pass
  // Between attempts: half of it at least, twice as long each time.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{5'000};
  std::chrono::milliseconds connect_timeout{10'000};
  std::size_t idle_connections = 16;      // kept for the requests that follow
  std::uint64_t part_bytes = 16 << 20;    // a larger file is sent in parts (5 MiB at least)
  std::uint64_t answer_bytes = 16 << 20;  // of a listing or an error
  // What signatures take for now; empty: the system's clock.
  std::function<std::chrono::system_clock::time_point()> clock{};
  // Whether somebody wants to end: then no attempt follows another, and one under way has `ending`
  // left. Asked again and again, on each thread that asks. Empty: never.
  std::function<bool()> stopping{};
  std::chrono::milliseconds ending{2'000};

  bool told_to_end() const { return stopping && stopping(); }
};

struct FilePart {
  std::filesystem::path file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct S3Request {
  const char* method;  // GET, HEAD, PUT, POST, DELETE
  std::string key;     // within the bucket; empty: the bucket
  std::vector<std::pair<std::string, std::string>> query{};
  std::vector<std::string> headers{};  // "If-None-Match: *"; all are signed
  std::string_view content{};
  std::optional<FilePart> file{};       // instead of `content`
  std::uint64_t most_bytes = 0;         // of the answer; 0: S3Limits::answer_bytes
  unsigned attempts = 0;                // 0: S3Limits::attempts
};

struct S3Answer {
  long status = 0;
  std::string body;
  std::string tag;      // ETag, with its quotes
  std::string writer;   // x-amz-meta-segue-writer
  std::string region;   // x-amz-bucket-region
  std::string date;     // by the server's clock
  std::optional<std::uint64_t> length;
  std::optional<std::uint64_t> whole;  // of a range: how long the object is
  std::string code;     // of a complaint: "NoSuchKey"
  std::string message;

  bool good() const noexcept { return status >= 200 && status < 300; }
  bool absent() const noexcept { return status == 404; }
  bool precondition_failed() const noexcept { return status == 412; }
};

// Asks one bucket by signed requests (AWS Signature Version 4), over connections that are kept. What
// may pass (timeouts, resets, 429, 500, 502, 503, 504, SlowDown) is tried again after a pause: a
// request may have been carried out more than once. Any thread, several at a time.
class S3Client {
 public:
  // `name` is what messages begin with. Throws StorageError: settings that say nothing.
  S3Client(std::string name, std::string bucket, S3Settings settings, S3Limits limits);
  ~S3Client();
  S3Client(const S3Client&) = delete;
  S3Client& operator=(const S3Client&) = delete;

  // The answer, when it is good, or says that an object or upload is not there (404), a condition
  // does not hold (412), or a range lies outside (416). All others throw: RemoteError with what to
  // do about it, StorageError for a file that cannot be read.
  S3Answer ask(const S3Request& request);

  // Waits as before another attempt, counted from 0; not on when it is told to end.
  void pause(unsigned attempt, std::chrono::seconds at_least = {}) const;

  const std::string& name() const noexcept;
  const S3Limits& limits() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::warehouse
