// An archive in S3 whose server, or the way there, fails.

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>

#include "tests/support/faulty_link.hpp"
#include "tests/support/s3_server.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/storage/settings_for.hpp"
#include "warehouse/storage/s3_credentials.hpp"
#include "warehouse/storage/s3_store.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using test::Fault;

// A bucket behind a link that fails when told; pauses are short.
struct FarBucket {
  FarBucket() {
    server.make_bucket("shop");
    settings = settings_for(server);
    settings.endpoint = link.url();
    settings.timeout = std::chrono::seconds(1);
    limits.first_pause = std::chrono::milliseconds(1);
    limits.longest_pause = std::chrono::milliseconds(10);
    limits.attempts = 5;
    limits.part_bytes = 5 << 20;
  }
  S3Store open() const { return S3Store(location, settings, limits); }

  test::Versitygw server;
  test::FaultyLink link{server.port()};
  ArchiveLocation location{.folder = {}, .bucket = "shop", .prefix = "p"};
  S3Settings settings;
  S3Limits limits;
};

std::size_t objects_in(ObjectStore& store) {
  std::size_t count = 0;
  store.list("", "", [&](const StoredObject&) { ++count; });
  return count;
}

TEST_CASE("what passes is tried again, whatever is asked") {
  FarBucket bucket;
  S3Store store = bucket.open();
  store.prepare_creating();
  for (const Fault fault : {Fault::slow_down, Fault::server_error, Fault::reset_before,
                            Fault::reset_after, Fault::reset_midway, Fault::truncated}) {
    INFO(static_cast<int>(fault));
    const std::string key = fmt::format("x/{}", static_cast<int>(fault));
    bucket.link.plan("PUT", key, fault, 2);
    CHECK(store.create(key, "some content of it") == Creation::created);
    bucket.link.plan("GET", key, fault, 2);
    CHECK(store.read(key) == "some content of it");
    bucket.link.plan("GET", key, fault, 2);
    CHECK(store.read(key, 5, 7) == "content");
    bucket.link.plan("HEAD", key, fault, 2);
    CHECK(store.size(key) == 18);
    bucket.link.plan("GET", "list-type", fault, 2);
    CHECK(objects_in(store) == 1);
    bucket.link.plan("PUT", key, fault, 2);
    store.replace(key, "other");
    CHECK(store.read(key) == "other");
    bucket.link.plan("DELETE", key, fault, 2);
    store.remove(key);
    CHECK(objects_in(store) == 0);
    CHECK(bucket.link.unmet() == 0);
  }
}

TEST_CASE("a server that says nothing is given up after its time, and asked again") {
  FarBucket bucket;
  S3Store store = bucket.open();
  store.create("x", "content");
  bucket.link.plan("GET", "/x", Fault::stalled);
  CHECK(store.read("x") == "content");
  CHECK(bucket.link.unmet() == 0);
}

TEST_CASE("who is told to end waits for no other attempt, and not for a server that says nothing") {
  FarBucket bucket;
  bucket.open().create("x", "content");
  std::atomic<bool> stopping{false};
  bucket.limits.stopping = [&] { return stopping.load(); };
  bucket.limits.ending = std::chrono::minutes(10);
  bucket.limits.attempts = 1'000'000;
  bucket.settings.timeout = std::chrono::hours(1);
  S3Store store = bucket.open();
  CHECK(store.read("x") == "content");
  stopping = true;
  bucket.link.plan("GET", "/x", Fault::slow_down, 2);
  CHECK_THROWS_AS(store.read("x"), RemoteError);
  CHECK(bucket.link.unmet() == 1);
  CHECK_THROWS_AS(store.read("x"), RemoteError);
  CHECK(bucket.link.unmet() == 0);
  bucket.limits.ending = std::chrono::milliseconds(0);
  bucket.link.plan("GET", "/x", Fault::stalled);
  CHECK_THROWS_MATCHES(bucket.open().read("x"), RemoteError,
                       MessageMatches(ContainsSubstring("told to end")));
}

TEST_CASE("a creation whose answer was lost is its own") {
  FarBucket bucket;
  S3Store store = bucket.open();
  store.prepare_creating();
  bucket.link.plan("PUT", "/claim", Fault::reset_after);
  CHECK(store.create("claim", "mine") == Creation::created);
  CHECK(bucket.link.count("PUT /shop/p/claim") == 2);
  CHECK(store.read("claim") == "mine");
}

TEST_CASE("a creation that another one made, with the same content, is not its own") {
  FarBucket bucket;
  S3Store store = bucket.open();
  S3Store other = bucket.open();
  other.create("claim", "same");
  bucket.link.plan("PUT", "/claim", Fault::reset_after);
  CHECK(store.create("claim", "same") == Creation::existed);
}

TEST_CASE("a server that goes on failing is told of in one line") {
  FarBucket bucket;
  S3Store store = bucket.open();
  const auto said = [&](Fault fault, const char* key) -> std::string {
    // libcurl itself asks once more where a connection that it kept turns out to be gone.
    bucket.link.plan("GET", key, fault, 2 * bucket.limits.attempts);
    try {
      store.read(key);
    } catch (const RemoteError& error) {
      return error.what();
    }
    return "nothing";
  };
  CHECK_THAT(said(Fault::slow_down, "one"), ContainsSubstring("it answers 503 SlowDown: planned"));
  CHECK_THAT(said(Fault::server_error, "two"),
             ContainsSubstring("it answers 500 InternalError: planned"));
  CHECK_THAT(said(Fault::reset_before, "three"), ContainsSubstring("tried 5 times"));
  CHECK(store.read("four") == std::nullopt);
}

TEST_CASE("a large file arrives whole whichever of its requests fails") {
  FarBucket bucket;
  S3Store store = bucket.open();
  store.prepare_creating();
  const test::TempDir folder;
  const std::string content(11 << 20, 'x');
  const auto file = folder.write("large", content);
  for (const Fault fault :
       {Fault::slow_down, Fault::reset_before, Fault::reset_after, Fault::truncated}) {
    INFO(static_cast<int>(fault));
    bucket.link.plan("POST", "uploads=", fault);
    bucket.link.plan("PUT", "partNumber=2", fault);
    bucket.link.plan("POST", "uploadId=", fault);
    CHECK(store.create_from("large", file) == Creation::created);
    CHECK(bucket.link.unmet() == 0);
    CHECK((store.read("large") == content));
    bucket.link.plan("POST", "uploadId=", fault);
    store.replace_from("large", file);
    CHECK((store.read("large") == content));
    store.remove("large");
  }
}

TEST_CASE("an upload that fails for good is aborted and leaves no object") {
  FarBucket bucket;
  S3Store store = bucket.open();
  store.prepare_creating();
  const test::TempDir folder;
  const auto file = folder.write("large", std::string(11 << 20, 'x'));
  bucket.link.plan("PUT", "partNumber=2", Fault::server_error, bucket.limits.attempts);
  CHECK_THROWS_AS(store.create_from("large", file), RemoteError);
  CHECK(bucket.link.count("DELETE /shop/p/large?uploadId=") == 1);
  CHECK(store.read("large") == std::nullopt);
  CHECK(store.create_from("large", file) == Creation::created);
}

// A store as it must not be: it takes whatever comes.
test::ScriptedBackend::Script takes_all(std::string head_fields) {
  return [head_fields](test::BackendConnection& connection) {
    while (auto request = connection.request()) {
      const std::string mark =
          request->field("x-amz-meta-segue-writer") ? "ETag: \"1\"\r\n" : head_fields;
      connection.send(test::response_with(200, "", mark));
    }
  };
}

TEST_CASE("a server that does not keep conditions is refused before the first creation") {
  const test::TempDir folder;
  test::ScriptedBackend server(takes_all(""));
  S3Settings settings;
  settings.endpoint = fmt::format("http://127.0.0.1:{}", server.port());
  settings.credentials_file = folder.write("credentials", "key secret\n");
  S3Store store({.folder = {}, .bucket = "b", .prefix = {}}, settings);
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_MATCHES(store.create("claim", "mine"), RemoteError,
                         MessageMatches(ContainsSubstring("does not keep If-None-Match")));
  for (const test::Message& request : server.requests())
    CHECK(request.target().find("claim") == std::string::npos);
}

TEST_CASE("a server that keeps conditions of whole objects but not of uploads in parts is refused") {
  const test::TempDir folder;
  const test::S3Server server;
  server.make_bucket("shop");
  test::FaultyLink link(server.port());
  S3Settings settings;
  settings.endpoint = link.url();
  settings.credentials_file = folder.write("credentials", "key secret\n");
  S3Store store({.folder = {}, .bucket = "shop", .prefix = "p"}, settings);
  link.plan("POST", "uploadId=", Fault::unconditional, 2);
  for (int i = 0; i < 2; ++i)
    CHECK_THROWS_MATCHES(store.create("claim", "mine"), RemoteError,
                         MessageMatches(ContainsSubstring("If-None-Match where an upload in parts")));
  CHECK(link.unmet() == 0);
  CHECK(server.objects("shop").empty());
  CHECK(store.create("claim", "mine") == Creation::created);
  CHECK(server.objects("shop").size() == 1);
}

TEST_CASE("a server that keeps conditions is not refused where answers to the probe are lost") {
  FarBucket bucket;
  const std::pair<const char*, const char*> lost[] = {{"PUT", "/.tmp-probe-"},
                                                      {"POST", "uploads="},
                                                      {"PUT", "partNumber="},
                                                      {"POST", "uploadId="}};
  for (const auto& [method, part] : lost) {
    INFO(fmt::format("{} {}", method, part));
    bucket.link.plan(method, part, Fault::reset_after);
    S3Store store = bucket.open();
    CHECK(store.create("claim", "mine") == Creation::created);
    CHECK(bucket.link.unmet() == 0);
    store.remove("claim");
    CHECK(objects_in(store) == 0);
  }
}

TEST_CASE("a listing that is none, or of other keys, or without end, is refused") {
  const test::TempDir folder;
  const std::string begin = "<ListBucketResult>";
  const std::string end = "</ListBucketResult>";
  for (const std::string& listing :
       {std::string("no XML"), begin, begin + "<Contents><Key>p/x</Key><Size>many</Size></Contents>" + end,
        begin + "<Contents><Key>q</Key><Size>1</Size></Contents>" + end,
        begin + "<CommonPrefixes><Prefix>elsewhere/</Prefix></CommonPrefixes>" + end,
        begin + "<IsTruncated>true</IsTruncated>" + end,
        begin + "<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>" +
            end}) {
    INFO(listing);
    test::ScriptedBackend server(test::answer_always(test::response_with(200, listing)));
    S3Settings settings;
    settings.endpoint = fmt::format("http://127.0.0.1:{}", server.port());
    settings.credentials_file = folder.write("credentials", "key secret\n");
    S3Store store({.folder = {}, .bucket = "b", .prefix = "p"}, settings);
    CHECK_THROWS_AS(objects_in(store), RemoteError);
    CHECK_THROWS_AS(store.folders(""), RemoteError);
  }
}

TEST_CASE("a session that has ended is signed anew with what the file holds then") {
  const test::TempDir folder;
  const auto file = folder.write("credentials", "key secret old-session\n");
  test::ScriptedBackend server([&](test::BackendConnection& connection) {
    while (auto request = connection.request()) {
      const bool old = request->field("x-amz-security-token") == "old-session";
      if (old) folder.write("credentials", "key2 secret2 new-session\n");
      connection.send(old ? test::response_with(
                                400, "<Error><Code>ExpiredToken</Code><Message>m</Message></Error>")
                          : test::response_with(200, "content"));
    }
  });
  S3Settings settings;
  settings.endpoint = fmt::format("http://127.0.0.1:{}", server.port());
  settings.credentials_file = file;
  S3Store store({.folder = {}, .bucket = "b", .prefix = {}}, settings);
  CHECK(store.read("x") == "content");
  REQUIRE(server.requests().size() == 2);
  CHECK(server.requests()[1].field("authorization")->find("Credential=key2/") !=
        std::string::npos);
}

TEST_CASE("a session that has ended and is not renewed is told of") {
  const test::TempDir folder;
  test::ScriptedBackend server(test::answer_always(test::response_with(
      400, "<Error><Code>ExpiredToken</Code><Message>m</Message></Error>")));
  S3Settings settings;
  settings.endpoint = fmt::format("http://127.0.0.1:{}", server.port());
  settings.credentials_file = folder.write("credentials", "key secret old-session\n");
  S3Store store({.folder = {}, .bucket = "b", .prefix = {}}, settings);
  CHECK_THROWS_MATCHES(store.read("x"), RemoteError,
                       MessageMatches(ContainsSubstring("session of access key 'key' has ended")));
}

TEST_CASE("credentials of S3 are read from a line, a section or the environment") {
  const test::TempDir folder;
  S3Settings settings;
  const auto from = [&](std::string_view text) {
    settings.credentials_file = folder.write("credentials", text);
    return find_credentials(settings);
  };
  CHECK(from("id secret").secret == "secret");
  CHECK(from("  id   secret   token \n").session_token == "token");
  const auto section = from(
      "# mine\n[other]\naws_access_key_id = no\n[default]\naws_access_key_id = id\n"
      "aws_secret_access_key=a+b/c=\n\n[more]\naws_access_key_id = no\n");
  CHECK(section.key_id == "id");
  CHECK(section.secret == "a+b/c=");
  for (const char* wrong : {"", "\n", "id\n", "[default]\n", "[default]\naws_access_key_id=id\n"})
    CHECK_THROWS_AS(from(wrong), StorageError);
  settings.credentials_file = folder / "none";
  CHECK_THROWS_AS(find_credentials(settings), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
