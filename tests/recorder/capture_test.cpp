#include "recorder/capture.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

namespace segue::recorder {
namespace {

constexpr std::size_t kBlock = CapturePool::kBlockBytes;
constexpr std::size_t kSmall = CapturePool::kSmallBodyBytes;
constexpr std::uint64_t kMebibyte = 1 << 20;

std::string content(BodyCapture& capture) {
  std::string all;
  for (const std::string_view block : capture.view().blocks) all += block;
  return all;
}

std::string digest(BodyCapture& capture) {
  std::string digits;
  for (const char c : capture.view().sha256)
    digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return digits;
}

TEST_CASE("a body that is wholly borrowed is never copied") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  const std::string body = "small";
  capture.start(kMebibyte);
  capture.borrow(body);
  const BodyView view = capture.view();
  REQUIRE(view.blocks.size() == 1);
  CHECK(view.blocks[0].data() == body.data());
  CHECK(view.size == 5);
  CHECK(view.capture == Capture::complete);
  CHECK(pool.used_bytes() == 0);
}

TEST_CASE("what was borrowed is kept when its memory is about to change") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  std::string buffer = "first ";
  capture.start(kMebibyte);
  capture.borrow(buffer);
  capture.keep();
  buffer = "second";
  capture.borrow(buffer);
  CHECK(content(capture) == "first second");
  CHECK(capture.size() == 12);
}

TEST_CASE("a streamed body comes back in order over many blocks") {
  CapturePool pool(4 * kMebibyte);
  BodyCapture capture(pool);
  capture.start(kMebibyte);
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece(static_cast<std::size_t>(i) % 97, static_cast<char>('a' + i % 26));
    all += piece;
    capture.add(piece);
  }
  CHECK(content(capture) == all);
  CHECK(capture.view().capture == Capture::complete);
}

TEST_CASE("beyond the limit only the size counts") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  capture.start(10);
  capture.add("123456");
  capture.borrow("789012345");
  CHECK(content(capture) == "1234567890");
  CHECK(capture.view().capture == Capture::truncated);
  CHECK(capture.view().reason == "bodies.max");
  capture.add("more");
  CHECK(content(capture) == "1234567890");
  CHECK(capture.view().size == 19);
}

TEST_CASE("a body of exactly the limit is complete") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  capture.start(2 * kBlock);
  capture.add(std::string(2 * kBlock, 'x'));
  CHECK(capture.view().capture == Capture::complete);
  CHECK(content(capture).size() == 2 * kBlock);
}

TEST_CASE("a skipped body has a size and a reason") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  CHECK(capture.view().capture == Capture::absent);
  capture.start_skipping("settings");
  capture.add("12345");
  capture.borrow("67");
  CHECK(capture.view().capture == Capture::skipped);
  CHECK(capture.view().reason == "settings");
  CHECK(capture.view().size == 7);
  CHECK(capture.view().blocks.empty());
}

// The digests are those of FIPS 180-4's examples.
constexpr const char* kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfMillion =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST_CASE("a digest is of the whole body, however it came and however little of it is kept") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  const std::string million(1'000'000, 'a');
  for (const std::uint64_t max_bytes : {std::uint64_t{0}, std::uint64_t{10}, 2 * kMebibyte}) {
    capture.start(max_bytes, BodyDigest::sha256);
    capture.add(std::string_view(million).substr(0, 7));
    capture.borrow(std::string_view(million).substr(7, 64 << 10));
    capture.keep();
    capture.borrow(std::string_view(million).substr(7 + (64 << 10)));
    capture.end();
    CHECK(digest(capture) == kOfMillion);
    CHECK(capture.view().size == 1'000'000);
  }
  capture.start(kMebibyte, BodyDigest::sha256);
  capture.borrow("abc");
  capture.end();
  CHECK(digest(capture) == kOfAbc);
  capture.start(kMebibyte, BodyDigest::sha256);
  capture.end();
  CHECK(digest(capture) == kOfNothing);
}

TEST_CASE("a digest outlives the cut of a capture for want of memory") {
  CapturePool pool(kSmall);
  BodyCapture capture(pool);
  capture.start(2 * kMebibyte, BodyDigest::sha256);
  capture.add(std::string(1'000'000, 'a'));
  capture.end();
  CHECK(capture.view().reason == "capture_memory");
  CHECK(digest(capture) == kOfMillion);
}

TEST_CASE("there is no digest before the end of a body, of another body, or where none is wanted") {
  CapturePool pool(kMebibyte);
  BodyCapture capture(pool);
  capture.end();
  CHECK(digest(capture).empty());
  capture.start(kMebibyte, BodyDigest::sha256);
  capture.add("ab");
  CHECK(digest(capture).empty());
  capture.start(kMebibyte, BodyDigest::sha256);
  capture.add("abc");
  capture.end();
  CHECK(digest(capture) == kOfAbc);
  for (const auto again : {1, 2, 3}) {
    if (again == 1) capture.start(kMebibyte);
    if (again == 2) capture.start_skipping("settings");
    if (again == 3) capture.reset();
    capture.add("abc");
    capture.end();
    CHECK(digest(capture).empty());
  }
}

TEST_CASE("over the budget the largest capture is cut and small ones go on") {
  CapturePool pool(8 * kSmall);
  BodyCapture large(pool), larger(pool), small(pool);
  large.start(kMebibyte);
  larger.start(kMebibyte);
  small.start(kMebibyte);
  larger.add(std::string(3 * kSmall, 'L'));
  large.add(std::string(kSmall + kBlock, 'l'));  // together they pass half of the budget
  CHECK(larger.view().capture == Capture::truncated);
  CHECK(larger.view().reason == "capture_memory");
  CHECK(larger.view().size == 3 * kSmall);
  CHECK(content(larger) == std::string(kSmall, 'L'));
  CHECK(large.view().capture == Capture::complete);
  CHECK(pool.cut_captures() == 1);
  small.add(std::string(kSmall, 's'));
  CHECK(small.view().capture == Capture::complete);
}

TEST_CASE("large captures alone never take more than half of the budget") {
  CapturePool pool(8 * kSmall);
  BodyCapture upload(pool);
  upload.start(kMebibyte);
  upload.add(std::string(kMebibyte, 'u'));
  CHECK(upload.view().capture == Capture::truncated);
  CHECK(upload.view().size == kMebibyte);
  CHECK(pool.used_bytes() <= 4 * kSmall);
}

TEST_CASE("when all captures are small the one that asks ends, and memory comes back") {
  CapturePool pool(2 * kSmall);
  BodyCapture a(pool), b(pool), c(pool);
  for (BodyCapture* capture : {&a, &b, &c}) capture->start(kMebibyte);
  a.add(std::string(kSmall, 'a'));
  b.add(std::string(kSmall, 'b'));
  c.add("c");
  CHECK(c.view().capture == Capture::truncated);
  CHECK(a.view().capture == Capture::complete);
  CHECK(pool.used_bytes() == 2 * kSmall);
  a.reset();
  CHECK(pool.used_bytes() == kSmall);
  c.start(kMebibyte);
  c.add("c");
  CHECK(c.view().capture == Capture::complete);
}

TEST_CASE("the budget holds whatever order captures grow and end in") {
  CapturePool pool(10 * kSmall);
  std::vector<std::unique_ptr<BodyCapture>> captures;
  for (int i = 0; i < 12; ++i) captures.push_back(std::make_unique<BodyCapture>(pool));
  std::uint64_t state = 7;
  for (int step = 0; step < 20'000; ++step) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    BodyCapture& capture = *captures[(state >> 33) % captures.size()];
    if ((state >> 40) % 16 == 0) capture.start(kMebibyte);
    capture.add(std::string((state >> 45) % 20'000, 'x'));
    REQUIRE(pool.used_bytes() <= 10 * kSmall);
    const BodyView view = capture.view();
    if (view.capture == Capture::complete) REQUIRE(content(capture).size() == view.size);
  }
  captures.clear();
  CHECK(pool.used_bytes() == 0);
}

}  // namespace
}  // namespace segue::recorder
