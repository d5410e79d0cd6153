#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/certificate.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// A real S3 server (versitygw) that checks signatures, clocks and conditions, with its objects in a
// folder. Ready when the constructor returns; destroyed at the end of its scope or of this process.
class Versitygw {
 public:
  Versitygw();
  // Over TLS, as localhost.
  explicit Versitygw(const Certificate& certificate);
  ~Versitygw();
  Versitygw(const Versitygw&) = delete;
  Versitygw& operator=(const Versitygw&) = delete;

  // "http://127.0.0.1:PORT", or "https://localhost:PORT"; buckets by path, region us-east-1.
  const std::string& url() const { return settings_.at("S3_ENDPOINT"); }
  std::uint16_t port() const;
  const std::string& key_id() const { return settings_.at("AWS_ACCESS_KEY_ID"); }
  const std::string& secret() const { return settings_.at("AWS_SECRET_ACCESS_KEY"); }
  // A file with them, as `archive.s3.credentials` takes it.
  const std::filesystem::path& credentials_file() const { return credentials_file_; }

  void make_bucket(const std::string& bucket) const;
  // Where the objects of a bucket lie as files.
  std::filesystem::path objects(const std::string& bucket) const;

 private:
  explicit Versitygw(std::vector<std::string> more);

  TempDir folder_;
  std::filesystem::path work_;
  std::filesystem::path credentials_file_;
  std::map<std::string, std::string, std::less<>> settings_;
};

}  // namespace segue::test
