#include "warehouse/storage/s3_credentials.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

// AWS's own format: "[default]", then "aws_access_key_id = ..." and so on, up to another section.
S3Credentials default_section(std::istream& file) {
  S3Credentials found;
  bool within = false;
  for (std::string text; std::getline(file, text);) {
    const std::string_view line = trimmed(text);
    if (line.starts_with('[')) within = line == "[default]";
    const std::size_t equals = line.find('=');
    if (!within || line.starts_with('#') || equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (name == "aws_access_key_id") found.key_id = value;
    if (name == "aws_secret_access_key") found.secret = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  return found;
}

S3Credentials read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || (!std::getline(file, line) && !file.eof()))
    throw StorageError(fmt::format("{}: cannot read the S3 credentials: check "
                                   "archive.s3.credentials",
                                   path.string()));
  const std::string_view first = trimmed(line);
  const bool sections = first.empty() || first.starts_with('[') || first.starts_with('#');
  S3Credentials found;
  if (sections) {
    file.clear();
    file.seekg(0);
    found = default_section(file);
  } else {
    std::istringstream words(line);
    words >> found.key_id >> found.secret >> found.session_token;
  }
  if (found.key_id.empty() || found.secret.empty())
    throw StorageError(fmt::format("{}: no S3 credentials: write one line \"ACCESS-KEY-ID "
                                   "SECRET-ACCESS-KEY\", or a section [default] as AWS has it",
                                   path.string()));
  found.from = path.string();
  return found;
}

}  // namespace

S3Credentials find_credentials(const S3Settings& settings) {
  if (!settings.credentials_file.empty()) return read_file(settings.credentials_file);
  S3Credentials found{.key_id = variable("AWS_ACCESS_KEY_ID"),
                      .secret = variable("AWS_SECRET_ACCESS_KEY"),
                      .session_token = variable("AWS_SESSION_TOKEN"),
                      .from = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"};
  if (found.key_id.empty() || found.secret.empty())
    throw StorageError("S3: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                       "archive.s3.credentials");
  return found;
}

}  // namespace segue::warehouse
