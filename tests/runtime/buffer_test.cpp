#include "runtime/buffer.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

namespace segue::runtime {
namespace {

void receive(Buffer& buffer, std::string_view bytes) {
  REQUIRE(buffer.writable().size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), buffer.writable().begin());
  buffer.commit(bytes.size());
}

TEST_CASE("a buffer holds no memory until it is asked for room") {
  BufferPool pool;
  Buffer buffer(pool);
  CHECK(buffer.capacity() == 0);
  CHECK(buffer.readable().empty());
  CHECK(buffer.reserve(1) == Buffer::Moved::yes);
  CHECK(buffer.capacity() == BufferPool::kSmallest);
}

TEST_CASE("growing keeps what was received and says that it moved") {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.reserve(10);
  receive(buffer, "0123456789");
  buffer.consume(4);
  CHECK(buffer.reserve(100'000) == Buffer::Moved::yes);
  CHECK(buffer.readable() == "456789");
  CHECK(buffer.capacity() >= 100'000);
  CHECK(buffer.reserve(100'000) == Buffer::Moved::no);
}

TEST_CASE("room is counted from the first readable byte, so a full front is moved down") {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.reserve(4096);
  receive(buffer, std::string(4096, 'x'));
  buffer.consume(4090);
  CHECK(buffer.reserve(4096) == Buffer::Moved::yes);
  CHECK(buffer.readable() == "xxxxxx");
  CHECK(buffer.writable().size() == 4090);
}

TEST_CASE("truncating keeps the front for what is received next") {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.reserve(100);
  receive(buffer, "head body");
  buffer.truncate(5);
  receive(buffer, "more");
  CHECK(buffer.readable() == "head more");
}

TEST_CASE("shrinking keeps what came and gives large memory back") {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.reserve(1 << 16);
  receive(buffer, "next request");
  buffer.shrink();
  CHECK(buffer.capacity() == BufferPool::kSmallest);
  CHECK(buffer.readable() == "next request");
  buffer.consume(12);
  buffer.shrink();
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("memory that was given back is handed out again") {
  BufferPool pool;
  const auto first = pool.take(70'000);
  CHECK(first.size() == 131'072);
  pool.give(first);
  const auto again = pool.take(100'000);
  CHECK(again.data() == first.data());
  pool.give(again);
  const auto huge = pool.take(3 << 20);  // beyond the classes that are kept
  CHECK(huge.size() >= (3u << 20));
  pool.give(huge);
}

}  // namespace
}  // namespace segue::runtime
