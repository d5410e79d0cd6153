#include "recorder/capture.hpp"

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
