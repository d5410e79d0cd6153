#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/certificate.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {

// A real schema registry (Apicurio, in memory: it forgets all when it stops) with Confluent's REST
// API, over HTTP and HTTPS, each with and without basic authentication (segue / registry-secret).
// Ready when the constructor returns; destroyed at the end of its scope or of this process.
class SchemaRegistry {
 public:
  SchemaRegistry();
  ~SchemaRegistry();
  SchemaRegistry(const SchemaRegistry&) = delete;
  SchemaRegistry& operator=(const SchemaRegistry&) = delete;

  // Base URLs: what stands before "/subjects".
  const std::string& url() const { return url_; }
  std::string https_url() const { return address("https"); }
  std::string url_with_authentication() const { return address("auth"); }
  std::string https_url_with_authentication() const { return address("auth_https"); }
  std::filesystem::path ca() const { return certificate_.certificate_file(); }
  static constexpr const char* kUser = "segue";
  static constexpr const char* kPassword = "registry-secret";

  // SIGTERM; then everything it knew is gone. start() brings it up again on the same ports.
  void stop();
  void start();

  // GET, POST, PUT or DELETE of a path such as "/subjects"; the body of the answer. Throws
  // TestFailure on a status of 400 and above.
  std::string ask(const std::string& method, const std::string& path,
                  const std::string& body = {}) const;

 private:
  std::string address(const std::string& name) const;

  TempDir folder_;
  Certificate certificate_;
  std::filesystem::path work_;
  std::string url_;
};

}  // namespace segue::test
