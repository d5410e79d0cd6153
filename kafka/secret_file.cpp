#include "kafka/secret_file.hpp"

#include <fmt/format.h>

#include <fstream>

#include "exchange/error.hpp"

namespace segue::kafka {

std::string read_secret(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!file || !std::getline(file, line))
    throw StartupError(fmt::format("kafka: cannot read the password in {}", path.string()));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

void check_readable(const std::filesystem::path& path) {
  if (!std::ifstream(path)) throw StartupError(fmt::format("kafka: cannot read {}", path.string()));
}

}  // namespace segue::kafka
