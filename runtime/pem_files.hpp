#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace segue::runtime {

// Files read whole, once, so that what is used is what was compared. Immutable; any thread. The
// contents are wiped at the end, for they may be keys.
class PemFiles {
 public:
  // Empty paths are left out. What cannot be read is told by text(), not here.
  explicit PemFiles(const std::vector<std::string>& paths);
  PemFiles(const PemFiles&) = delete;
  PemFiles& operator=(const PemFiles&) = delete;
  ~PemFiles();

  // Of all contents, and of which files could not be read. Two that are equal mean that nothing
  // has changed in between.
  const std::string& fingerprint() const noexcept { return fingerprint_; }
  // The content of one of the paths. `what`: "certificate". Throws StartupError when it could not
  // be read.
  std::string_view text(std::string_view what, const std::string& path) const;

 private:
  struct File {
    std::string text;
    std::string trouble;  // empty: it was read
  };
  static File read(const std::string& path);

  std::map<std::string, File> files_;
  std::string fingerprint_;
};

}  // namespace segue::runtime
