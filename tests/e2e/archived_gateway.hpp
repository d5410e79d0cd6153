#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/gateway_process.hpp"
#include "tests/support/temp_dir.hpp"

// What tests of an archive beside a gateway are made of.
namespace segue::test {

// A folder with a journal and an archive, which gateways of a test come and go over.
struct ArchivedFolder {
  TempDir folder;
  std::filesystem::path journal() const { return folder / "journal"; }
  std::string archive() const { return "archive:" + (folder / "archive").string(); }
  // `archive:` of a configuration, with a claim four times a second.
  std::string settings() const;
};

// `--archive`, and more.
CommandLine archiving(std::vector<std::string> more = {});

// The processes that a process has started and that are there yet.
std::vector<pid_t> children_of(pid_t process);
// Waits until it has one, and says which.
pid_t only_child_of(pid_t process);
// Waits until a process is gone.
void wait_until_gone(pid_t process);

// Runs `seguectl archive --once` over the journal.
void archive_once(const ArchivedFolder& folder);

// Each of these targets is a row of the archive, once, and nothing else is.
void check_archived_once(const ArchivedFolder& folder, std::vector<std::string> targets);
// The targets of all rows of the archive, sorted.
std::vector<std::string> archived_targets(const ArchivedFolder& folder);

}  // namespace segue::test
