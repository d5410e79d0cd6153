#include "recorder/keyed_hash.hpp"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "exchange/error.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

// HMAC-SHA-256 of "abc" under bytes 0 to 31, made with `openssl dgst -mac HMAC`.
constexpr std::string_view kHashOfAbc = "h:8BM3KcQWPe3oHiHNR4OSVg";

AccountKey counting_key() {
  AccountKey key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<unsigned char>(i);
  return key;
}

TEST_CASE("a hash is HMAC-SHA-256, however often and after whatever it is asked for") {
  KeyedHash hash(counting_key());
  CHECK(hash.text("abc") == kHashOfAbc);
  CHECK(hash.text("other") != kHashOfAbc);
  CHECK(hash.text(std::string(5000, 'l')) != kHashOfAbc);
  for (int i = 0; i < 3000; ++i) hash.text(std::to_string(i));
  CHECK(hash.text("abc") == kHashOfAbc);
  CHECK(hash.text("abc") == kHashOfAbc);
  CHECK(hash.text("").size() == KeyedHash::kTextLength);
}

TEST_CASE("the first start makes a key that only its owner can read, the next one finds it") {
  const test::TempDir folder;
  const AccountKey made = load_or_make_account_key(folder.path());
  CHECK(load_or_make_account_key(folder.path()).bytes == made.bytes);
  CHECK(load_account_key(folder.path()).bytes == made.bytes);
  struct stat status{};
  REQUIRE(stat((folder.path() / kAccountKeyFile).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  CHECK(files == 1);
}

TEST_CASE("a key file that holds anything else is refused, never replaced") {
  const test::TempDir folder;
  std::ofstream(folder.path() / kAccountKeyFile) << "not a key\n";
  CHECK_THROWS_AS(load_or_make_account_key(folder.path()), StartupError);
}

TEST_CASE("no key where none was made") {
  const test::TempDir folder;
  CHECK_THROWS_AS(load_account_key(folder.path()), StartupError);
}

}  // namespace
}  // namespace segue::recorder
