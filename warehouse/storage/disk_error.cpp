#include "warehouse/storage/disk_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace segue::warehouse {
namespace {

std::string_view way_out(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return ": make room there";
    case EROFS:
      return ": mount it for writing";
    case EACCES:
    case EPERM:
      return ": this user needs the right to";
    default:
      return "";
  }
}

}  // namespace

StorageError disk_error(const std::filesystem::path& path, std::string_view doing, int number) {
  return StorageError(fmt::format("{}: cannot {}: {}{}", path.string(), doing,
                                  std::generic_category().message(number), way_out(number)));
}

}  // namespace segue::warehouse
