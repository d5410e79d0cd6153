// An archive in S3, on a real server that checks signatures and conditions.

#include "warehouse/storage/s3_store.hpp"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/support/scripted_backend.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/storage/settings_for.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

constexpr std::uint64_t kSmallestPart = 5 << 20;  // that S3 takes, but for the last

// A bucket on a server of its own.
struct Bucket {
  Bucket() { server.make_bucket("shop"); }
  S3Settings settings() const { return settings_for(server); }
  ArchiveLocation location(std::string prefix = "exchanges/eu") const {
    return {.folder = {}, .bucket = "shop", .prefix = std::move(prefix)};
  }

  test::Versitygw server;
};

S3Limits small_parts() {
  S3Limits limits;
  limits.part_bytes = kSmallestPart;
  return limits;
}

std::vector<std::string> listed(ObjectStore& store, std::string_view prefix,
                                std::string_view after = {}) {
  std::vector<std::string> keys;
  store.list(prefix, after, [&](const StoredObject& object) { keys.push_back(object.key); });
  return keys;
}

std::string many_bytes(std::size_t bytes) {
  std::string text;
  for (unsigned i = 0; text.size() < bytes; ++i) text += fmt::format("{:08x}", i * 2'654'435'761U);
  text.resize(bytes);
  return text;
}

TEST_CASE("an object in S3 is created once, read whole and in part, replaced and removed") {
  const Bucket bucket;
  for (const char* prefix : {"exchanges/eu", ""}) {
    S3Store store(bucket.location(prefix), bucket.settings());
    store.check();
    CHECK(store.read("x/one") == std::nullopt);
    CHECK(store.size("x/one") == std::nullopt);
    CHECK(store.version("x/one") == std::nullopt);
    CHECK(store.create("x/one", "first") == Creation::created);
    CHECK(store.create("x/one", "second") == Creation::existed);
    CHECK(store.read("x/one") == "first");
    CHECK(store.read("x/one", 1, 3) == "irs");
    CHECK(store.read("x/one", 1, 0).empty());
    CHECK_THROWS_AS(store.read("x/one", 3, 3), StorageError);
    CHECK_THROWS_AS(store.read("x/one", 5, 1), StorageError);
    CHECK_THROWS_AS(store.read("x/none", 0, 1), StorageError);
    store.replace("x/one", "third");
    CHECK(store.read("x/one") == "third");
    store.replace("x/one", "");
    CHECK(store.read("x/one") == "");
    CHECK(store.size("x/one") == 0);
    const test::TempDir folder;
    CHECK(store.create_from("x/two", folder.write("file", "of a file")) == Creation::created);
    CHECK(store.create_from("x/two", folder.write("file", "of two")) == Creation::existed);
    CHECK(store.size("x/two") == 9);
    store.replace_from("x/two", folder.write("file", "of another"));
    CHECK(store.read("x/two") == "of another");
    CHECK_THROWS_AS(store.create_from("x/three", folder / "none"), StorageError);
    store.remove("x/one");
    store.remove("x/one");
    CHECK(listed(store, "x/") == std::vector<std::string>{"x/two"});
  }
}

TEST_CASE("of eight who create the same object in S3 one does") {
  const Bucket bucket;
  const S3Settings settings = bucket.settings();
  S3Store store(bucket.location(), settings);
  S3Store other(bucket.location(), settings);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> created{0};
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 8; ++i)
        writers.emplace_back([&, i] {
          S3Store& mine = i % 2 == 0 ? store : other;
          const auto key = "claims/" + std::to_string(round);
          if (mine.create(key, std::to_string(i)) == Creation::created) ++created;
        });
    }
    CHECK(created == 1);
  }
  CHECK(listed(store, "").size() == 20);  // and nothing of the probe
}

TEST_CASE("listings of S3 are in the order of keys' octets, from behind a key, below a prefix") {
  const Bucket bucket;
  S3Store store(bucket.location(), bucket.settings());
  S3Store(bucket.location("exchanges"), bucket.settings()).create("eu-not/here", "");
  for (const char* key : {"a/1", "a-b", "a/2/x", "a.b", "b", "a/10"}) store.create(key, "");
  CHECK(listed(store, "") == std::vector<std::string>{"a-b", "a.b", "a/1", "a/10", "a/2/x", "b"});
  CHECK(listed(store, "a/") == std::vector<std::string>{"a/1", "a/10", "a/2/x"});
  CHECK(listed(store, "a/1") == std::vector<std::string>{"a/1", "a/10"});
  CHECK(listed(store, "", "a/1") == std::vector<std::string>{"a/10", "a/2/x", "b"});
  CHECK(listed(store, "a/", "a/2") == std::vector<std::string>{"a/2/x"});
  CHECK(store.folders("a/") == std::vector<std::string>{"2"});
  CHECK(store.folders("") == std::vector<std::string>{"a"});
  CHECK(store.folders("none/").empty());
  CHECK(listed(store, "none/").empty());
}

TEST_CASE("five thousand objects of S3 are listed in pages") {
  const Bucket bucket;
  S3Store store(bucket.location("p"), bucket.settings());
  const auto folder = bucket.server.objects("shop") / "p/claims";
  std::filesystem::create_directories(folder);
  std::vector<std::string> wanted;
  for (int i = 0; i < 5'000; ++i) {
    wanted.push_back(fmt::format("claims/{:020}.json", i));
    std::ofstream(folder / fmt::format("{:020}.json", i)) << i;
  }
  CHECK(listed(store, "claims/") == wanted);
  const std::vector<std::string> last(wanted.end() - 1500, wanted.end());
  CHECK(listed(store, "claims/", wanted[3'499]) == last);
}

TEST_CASE("odd octets in keys of S3 are kept") {
  const Bucket bucket;
  S3Store store(bucket.location("odd prefix=1"), bucket.settings());
  const std::set<std::string> keys{
      "raw/dt=2026-11-20/shop%20a~0~00000000000000000000~7.parquet",
      "a b+c",
      "q?x=1&y=2#z",
      "<tag>&amp;\"'",
      "caf\xc3\xa9",
      "plus+and%2Bcoded",
      "c:d;e,f@g$h!i(j)k*l'm[n]{o}"};
  for (const std::string& key : keys) {
    INFO(key);
    CHECK(store.create(key, key) == Creation::created);
    CHECK(store.read(key) == key);
    CHECK(store.size(key) == key.size());
  }
  const auto found = listed(store, "");
  CHECK(std::set<std::string>(found.begin(), found.end()) == keys);
  for (const std::string& key : keys) store.remove(key);
  CHECK(listed(store, "").empty());
}

TEST_CASE("a large file goes to S3 in parts, once") {
  const Bucket bucket;
  S3Store store(bucket.location(), bucket.settings(), small_parts());
  const test::TempDir folder;
  const std::string content = many_bytes(12 << 20);
  const auto file = folder.write("large", content);
  CHECK(store.create_from("raw/large", file) == Creation::created);
  CHECK(store.size("raw/large") == content.size());
  CHECK((store.read("raw/large") == content));
  CHECK(store.read("raw/large", kSmallestPart - 5, 10) == content.substr(kSmallestPart - 5, 10));
  CHECK(store.create_from("raw/large", file) == Creation::existed);
  const auto longer = folder.write("longer", content + "and more");
  store.replace_from("raw/large", longer);
  CHECK(store.size("raw/large") == content.size() + 8);
  CHECK(listed(store, "") == std::vector<std::string>{"raw/large"});
}

TEST_CASE("of four who send a large file to S3 one creates it") {
  const Bucket bucket;
  S3Store store(bucket.location(), bucket.settings(), small_parts());
  const test::TempDir folder;
  const std::string content = many_bytes(6 << 20);
  const auto file = folder.write("large", content);
  std::atomic<int> created{0};
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i)
      writers.emplace_back([&] {
        if (store.create_from("raw/large", file) == Creation::created) ++created;
      });
  }
  CHECK(created == 1);
  CHECK((store.read("raw/large") == content));
}

TEST_CASE("an object of S3 that is replaced while it is read is not mixed") {
  const Bucket bucket;
  S3Store store(bucket.location(), bucket.settings());
  store.create("x", "old content");
  const auto version = store.version("x");
  REQUIRE(version);
  CHECK(store.read_version("x", *version, 0, 3) == "old");
  store.replace("x", "new content");
  CHECK_THROWS_MATCHES(store.read_version("x", *version, 4, 7), StorageError,
                       MessageMatches(ContainsSubstring("was replaced while it was read")));
  CHECK(store.read_version("x", *store.version("x"), 0, 3) == "new");
}

TEST_CASE("the end of an object of S3 comes with its version") {
  const Bucket bucket;
  S3Store store(bucket.location(), bucket.settings());
  store.create("x", "the whole content");
  store.create("empty", "");
  const auto end = store.read_end("x", 7);
  REQUIRE(end);
  CHECK(end->content == "content");
  CHECK(end->version.bytes == 17);
  CHECK(end->version.tag == store.version("x")->tag);
  CHECK(store.read_end("x", 100)->content == "the whole content");
  const auto nothing = store.read_end("empty", 7);
  REQUIRE(nothing);
  CHECK(nothing->content.empty());
  CHECK(nothing->version.bytes == 0);
  CHECK_FALSE(store.read_end("absent", 7));
}

// What check() says with these settings.
std::string refusal(const ArchiveLocation& location, const S3Settings& settings,
                    S3Limits limits = {}) {
  try {
    S3Store(location, settings, std::move(limits)).check();
  } catch (const RemoteError& error) {
    const std::string text = error.what();
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.starts_with(location.name()));
    return text;
  }
  return "nothing was refused";
}

TEST_CASE("what S3 refuses is said in one line with what to do") {
  const Bucket bucket;
  const S3Settings settings = bucket.settings();
  const test::TempDir folder;

  S3Settings wrong_secret = settings;
  wrong_secret.credentials_file = folder.write("wrong", bucket.server.key_id() + " wrong\n");
  CHECK_THAT(refusal(bucket.location(), wrong_secret),
             ContainsSubstring("the secret is not that of access key 'segue-test': check " +
                               wrong_secret.credentials_file.string()));

  S3Settings unknown_key = settings;
  unknown_key.credentials_file = folder.write("unknown", "nobody secret\n");
  CHECK_THAT(refusal(bucket.location(), unknown_key),
             ContainsSubstring("it knows no access key 'nobody'"));

  ArchiveLocation no_bucket = bucket.location();
  no_bucket.bucket = "none";
  CHECK_THAT(refusal(no_bucket, settings),
             ContainsSubstring("there is no bucket 'none': make it, or change archive.to"));

  S3Settings elsewhere = settings;
  elsewhere.region = "eu-central-1";
  CHECK_THAT(refusal(bucket.location(), elsewhere),
             ContainsSubstring("not in region 'eu-central-1'"));

  for (const int hours : {-1, 1}) {
    S3Limits wrong_clock;
    wrong_clock.clock = [hours] {
      return std::chrono::system_clock::now() + std::chrono::hours(hours);
    };
    const std::string said = refusal(bucket.location(), settings, wrong_clock);
    CHECK_THAT(said, ContainsSubstring(hours < 0 ? "s behind the server's: set it right (NTP)"
                                                 : "s ahead of the server's: set it right (NTP)"));
  }

  S3Settings nobody = settings;
  nobody.endpoint = fmt::format("http://127.0.0.1:{}", test::closed_port());
  CHECK_THAT(refusal(bucket.location(), nobody), ContainsSubstring("check archive.s3.endpoint"));

  test::ScriptedBackend web(test::answer_always(test::response_with(200, "<html>hello</html>")));
  nobody.endpoint = fmt::format("http://127.0.0.1:{}", web.port());
  CHECK_THAT(refusal(bucket.location(), nobody), ContainsSubstring("it is no S3 server"));
}

TEST_CASE("a bucket behind TLS is used by those who know its authority") {
  const test::Certificate certificate("localhost");
  const test::Versitygw server(certificate);
  server.make_bucket("shop");
  S3Settings settings = settings_for(server);
  const ArchiveLocation location{.folder = {}, .bucket = "shop", .prefix = "p"};
  CHECK_THAT(refusal(location, settings), ContainsSubstring("for TLS, archive.s3.ca"));
  settings.ca = certificate.certificate_file();
  S3Store store(location, settings);
  store.check();
  CHECK(store.create("x", "content") == Creation::created);
  CHECK(store.read("x") == "content");
  settings.ca = "/nowhere.pem";
  CHECK_THAT(refusal(location, settings), ContainsSubstring("for TLS, archive.s3.ca"));
}

TEST_CASE("an endpoint that is none is refused") {
  const Bucket bucket;
  for (const char* endpoint : {"127.0.0.1:9000", "ftp://host", "http://", "http://host/path",
                               "http://user:secret@host"}) {
    S3Settings settings = bucket.settings();
    settings.endpoint = endpoint;
    CHECK_THROWS_AS(S3Store(bucket.location(), settings), StorageError);
  }
}

TEST_CASE("an open store says at once when there is no bucket") {
  const Bucket bucket;
  CHECK(open_store(bucket.location(), bucket.settings())->name() ==
        "archive:s3://shop/exchanges/eu");
  CHECK_THROWS_AS(open_store({.folder = {}, .bucket = "none", .prefix = {}}, bucket.settings()),
                  RemoteError);
}

}  // namespace
}  // namespace segue::warehouse
