#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// An S3 server in memory (moto) that accepts any key: a target for those who write to S3. Ready
// when the constructor returns; destroyed at the end of its scope or of this process.
class S3Server {
 public:
  S3Server();
  ~S3Server();
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  // "http://127.0.0.1:PORT"; buckets by path.
  const std::string& url() const { return url_; }
  std::uint16_t port() const;
  void make_bucket(const std::string& bucket) const;
  // Every object by its key.
  std::map<std::string, std::string> objects(const std::string& bucket) const;
  // The same, as soon as there are `count`.
  std::map<std::string, std::string> wait_for(const std::string& bucket, std::size_t count,
                                              const Deadline& deadline = Deadline{}) const;

 private:
  TempDir folder_;
  std::filesystem::path work_;
  std::string url_;
};

}  // namespace segue::test
