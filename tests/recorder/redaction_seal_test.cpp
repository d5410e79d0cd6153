#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>
#include <string>

#include "exchange/error.hpp"
#include "recorder/redaction/base64url.hpp"
#include "recorder/redaction/seal.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

RedactionKey key(const std::string& id, unsigned char first) {
  return {id, {first, 2, 3}};
}

std::string sealed(Sealer& sealer, std::string_view plain, SealedForm form = SealedForm::text) {
  std::string out;
  sealer.seal(plain, form, out);
  return out;
}

// What of a sealed value is key and nonce: run, lane, sequence and counter.
std::string nonce_of(const std::string& text) {
  return decode_base64url(std::string_view(text).substr(text.rfind(':') + 1, 56))->substr(0, 36);
}

TEST_CASE("a sealed value opens with its key and no other, wherever it stands") {
  Sealer sealer(key("k2", 1), 7);
  std::string text =
      "<" + sealed(sealer, "secret\n\0x") + "_" + sealed(sealer, "") + sealed(sealer, "b") + ">";
  const std::string closed = text;
  Opener stranger({key("k2", 9)});
  CHECK(stranger.open_all(text).closed == 3);
  CHECK(text == closed);
  Opener other({key("k1", 1)});
  CHECK(other.open_all(text).opened == 0);
  Opener opener({key("k1", 9), key("k2", 1)});
  const Opener::Count count = opener.open_all(text);
  CHECK(count.opened == 3);
  CHECK(count.closed == 0);
  CHECK(text == "<secret\n_b>");
}

TEST_CASE("a sealed JSON value goes back without the quotes it was given") {
  Sealer sealer(key("k1", 1), 0);
  std::string text = "{\"a\":\"" + sealed(sealer, "[1,{}]", SealedForm::json_value) + "\"}";
  Opener opener({key("k1", 1)});
  opener.open_all(text);
  CHECK(text == "{\"a\":[1,{}]}");
}

TEST_CASE("a sealed value that was damaged or cut stays closed") {
  Sealer sealer(key("k1", 1), 0);
  const std::string whole = sealed(sealer, "secret");
  Opener opener({key("k1", 1)});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
    opener.open_all(damaged);
    CHECK(damaged.find("secret") == std::string::npos);
    std::string cut = whole.substr(0, at);
    opener.open_all(cut);
    CHECK(cut == whole.substr(0, at));
  }
}

TEST_CASE("no key and nonce meet twice: not in a run, over restarts, nor after a fork") {
  std::set<std::string> seen;
  const auto note = [&seen](const std::string& text) { CHECK(seen.insert(nonce_of(text)).second); };
  for (int restart = 0; restart < 3; ++restart) {
    Sealer sealer(key("k1", 1), 0);
    for (int i = 0; i < 100; ++i) note(sealed(sealer, "x"));
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
      const std::string text = sealed(sealer, "x");
      const ssize_t wrote = write(pipe_ends[1], text.data(), text.size());
      _exit(wrote == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    const std::string mine = sealed(sealer, "x");
    close(pipe_ends[1]);
    std::string theirs(mine.size(), '\0');
    CHECK(read(pipe_ends[0], theirs.data(), theirs.size()) == static_cast<ssize_t>(mine.size()));
    close(pipe_ends[0]);
    int status = 1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    note(mine);
    note(theirs);
    CHECK(nonce_of(mine).substr(0, 16) != nonce_of(theirs).substr(0, 16));
    Opener opener({key("k1", 1)});
    CHECK(opener.open_all(theirs).opened == 1);
  }
}

TEST_CASE("a key is changed before it has sealed more than its share") {
  Sealer sealer(key("k1", 1), 0);
  std::string out;
  for (std::uint64_t i = 0; i < Sealer::kValuesPerKey; ++i) {
    out.clear();
    sealer.seal("x", SealedForm::text, out);
  }
  const std::string last = nonce_of(out);
  std::string next = sealed(sealer, "y");
  CHECK(nonce_of(next).substr(0, 20) == last.substr(0, 20));
  CHECK(nonce_of(next)[27] == 1);  // its sequence
  CHECK(last[27] == 0);
  Opener opener({key("k1", 1)});
  CHECK(opener.open_all(out).opened == 1);
  CHECK(opener.open_all(next).opened == 1);
}

TEST_CASE("equal values hash alike under one key, and not under another") {
  Sealer a(key("k1", 1), 0);
  Sealer b(key("k1", 1), 5);
  Sealer c(key("k1", 2), 0);
  std::string x, y, z;
  a.hash("value", x);
  b.hash("value", y);
  c.hash("value", z);
  CHECK(x == y);
  CHECK(x != z);
  CHECK(x.starts_with("h:k1:"));
  CHECK(x.size() == 5 + 22);
}

TEST_CASE("a key file holds 64 hexadecimal digits or at least 32 bytes, for its owner only") {
  const segue::test::TempDir folder;
  const auto path = folder.path() / "key";
  const auto write_key = [&path](std::string_view content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    std::filesystem::permissions(path, std::filesystem::perms(0600));
  };
  write_key("000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\n");
  CHECK(read_key_file("k1", path).bytes[31] == 0x1f);
  write_key(std::string(32, 'r'));
  CHECK(read_key_file("k1", path).bytes[31] == 'r');
  write_key(std::string(33, 'r'));
  CHECK(read_key_file("k1", path).bytes[31] != 'r');
  write_key("too short");
  CHECK_THROWS_AS(read_key_file("k1", path), StartupError);
  write_key(std::string(32, 'r'));
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  CHECK_THROWS_AS(read_key_file("k1", path), StartupError);
  CHECK_THROWS_AS(read_key_file("k1", folder.path() / "none"), StartupError);
}

}  // namespace
}  // namespace segue::recorder
