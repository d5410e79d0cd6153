#include "kafka/secret_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "exchange/error.hpp"

namespace segue::kafka {
namespace {

std::ifstream open(const std::filesystem::path& path, std::string_view named_by) {
  errno = 0;
  std::ifstream file(path);
  // A folder opens, and gives nothing.
  if (file && file.peek() == std::ifstream::traits_type::eof()) file.setstate(std::ios::badbit);
  if (file) return file;
  const std::string why = errno == 0 ? std::string("it is empty")
                                     : std::generic_category().message(errno);
  throw StartupError(fmt::format("{}: cannot read {}: {}", named_by, path.string(), why));
}

}  // namespace

std::string read_secret(const std::filesystem::path& path, std::string_view named_by) {
  std::ifstream file = open(path, named_by);
  std::string line;
  std::getline(file, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

void check_readable(const std::filesystem::path& path, std::string_view named_by) {
  static_cast<void>(open(path, named_by));
}

}  // namespace segue::kafka
