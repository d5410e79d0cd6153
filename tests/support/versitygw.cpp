#include "tests/support/versitygw.hpp"

#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <sstream>

#include "tests/support/process.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {

Versitygw::Versitygw() : Versitygw(std::vector<std::string>{}) {}

Versitygw::Versitygw(const Certificate& certificate)
    : Versitygw({"-t", certificate.certificate_file(), certificate.key_file()}) {}

Versitygw::Versitygw(std::vector<std::string> more) : work_(folder_ / "s3") {
  std::vector<std::string> arguments{"start", work_.string()};
  for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
  for (auto& argument : more) arguments.push_back(std::move(argument));
  std::istringstream lines(run_stack_script("versitygw.sh", arguments));
  for (std::string line; std::getline(lines, line);)
    settings_[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  credentials_file_ = folder_.write("credentials", fmt::format("{} {}\n", key_id(), secret()));
}

Versitygw::~Versitygw() {
  try {
    run_stack_script("versitygw.sh", {"destroy", work_.string()});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
}

std::uint16_t Versitygw::port() const {
  std::uint16_t number = 0;
  const std::string& text = url();
  std::from_chars(text.data() + text.rfind(':') + 1, text.data() + text.size(), number);
  return number;
}

void Versitygw::make_bucket(const std::string& bucket) const {
  const auto made = run_command({"curl", "-sSkf", "-X", "PUT", "--aws-sigv4", "aws:amz:us-east-1:s3",
                                 "--user", fmt::format("{}:{}", key_id(), secret()), "-H",
                                 "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                                 fmt::format("{}/{}", url(), bucket)});
  if (made.exit_code != 0) throw TestFailure(fmt::format("bucket {}: {}", bucket, made.err));
}

std::filesystem::path Versitygw::objects(const std::string& bucket) const {
  return work_ / "objects" / bucket;
}

}  // namespace segue::test
