// Any bytes as a cursor's file: a cursor or an error. What is a cursor and is stored again reads
// as the same one.
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "exchange/ensure.hpp"
#include "recorder/journal/cursor.hpp"

namespace {

// In memory, where there is such a place. Made for each input, for a fuzzer ends without running
// destructors.
class Folder {
 public:
  Folder() {
    static const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string name = memory ? "/dev/shm/segue-fuzz-XXXXXX" : "/tmp/segue-fuzz-XXXXXX";
    segue::ensure(::mkdtemp(name.data()) != nullptr, "a folder for cursors");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace segue::recorder;
  const Folder folder;
  const auto path = folder.path() / "cursor.json";
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const auto cursor = load_cursor_file(path);
  if (!cursor) return 0;
  segue::ensure(store_cursor_file(path, *cursor, Sync::no).has_value(), "a cursor is stored");
  const auto again = load_cursor_file(path);
  segue::ensure(again.has_value(), "a cursor that was stored is none");
  segue::ensure(again->lanes == cursor->lanes, "a cursor that was stored reads differently");
  return 0;
}
