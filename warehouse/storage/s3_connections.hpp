#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "warehouse/storage/s3_client.hpp"
#include "warehouse/storage/s3_credentials.hpp"

namespace segue::warehouse {

// How far one attempt of a request came.
enum class Reach : std::uint8_t {
  answered,
  passing,   // no answer, or half of one; it may come the next time, and may have been carried out
  refused,   // no answer, and none will come
  unreadable // the file to be sent cannot be read
};

struct Attempt {
  Reach reach = Reach::answered;
  S3Answer answer;
  std::string why;  // there is no answer
  std::chrono::seconds retry_after{0};
};

// Connections to one server (libcurl), each used by one request at a time and kept for the next.
// Any thread.
class S3Connections {
 public:
  S3Connections(const S3Settings& settings, const S3Limits& limits);
  ~S3Connections();
  S3Connections(const S3Connections&) = delete;
  S3Connections& operator=(const S3Connections&) = delete;

  // One signed request. `sha256` is of what it sends, in hexadecimal digits.
  Attempt perform(const std::string& url, const S3Request& request,
                  const S3Credentials& credentials, const std::string& sha256);

 private:
  struct Close {
    void operator()(void* handle) const noexcept;
  };
  using Handle = std::unique_ptr<void, Close>;  // CURL*

  Handle take();
  void give_back(Handle handle);
  void prepare(void* handle, const std::string& url, const S3Credentials& credentials) const;

  const S3Settings& settings_;
  const S3Limits& limits_;
  std::string signature_;  // "aws:amz:REGION:s3"
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

}  // namespace segue::warehouse
