#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/routing/example_rules.hpp"

namespace {
std::atomic<std::uint64_t> g_allocations{0};
}

// Counts every allocation of this binary.
void* operator new(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace segue::routing {
namespace {

TEST_CASE("a warm decision allocates nothing, whatever the request asks of it") {
  auto rules = example_rules();
  rules.push_back(path("note", "/notes/{id}/{slug:[a-z-]+}/{rest...}")
                      .rewrite_path("/v2/{slug}/{id}/{rest...}")
                      .account("jwt:authorization/sub"));
  rules.push_back(prefix("tenant", "/").host("*.tenants.example").query("q", "a b"));
  rules.push_back(path("copied", "/copied/{id}").split(50, "cookie:uid").shadow("other"));
  rules.push_back(regex("report", "/reports/[0-9]{4}(-[0-9]{2})?").under("/reports"));
  const auto table = table_of(rules);
  const std::vector<Field> fields{
      {"Cookie", "a=1; uid=someone-with-a-long-identifier-0123456789"},
      {"Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJjdXN0b21lci1udW1iZXItMTIzNDU2Nzg5In0."},
      {"X-Beta", "2"}};
  const std::vector<HeadView> heads{
      {"GET", "http", "localhost", "/searches/42?x=1", fields},
      {"GET", "http", "localhost", "/geo/be/a-place-with-a-long-name/and/further/down", fields},
      {"GET", "http", "localhost", "/notes/caf%C3%A9-with-a-long-name-here/some-slug/a/b", fields},
      {"GET", "http", "one.tenants.example:8443", "/x?q=a+b", fields},
      {"GET", "http", "localhost", "/reports/2024-11", fields},
      {"GET", "http", "localhost", "/copied/42", fields},
      {"GET", "http", "localhost", "/a/../searches/%34%32", fields},
      {"GET", "http", "localhost", "/a//b/..%2fc", fields},
  };
  Scratch scratch;
  for (const auto& head : heads) table->decide(head, Peer{"192.0.2.1"}, scratch);
  const auto before = g_allocations.load();
  std::uint64_t routed = 0;
  for (int round = 0; round < 1000; ++round) {
    for (const auto& head : heads)
      routed += table->decide(head, Peer{"192.0.2.1"}, scratch).route != nullptr ? 1 : 0;
  }
  const auto after = g_allocations.load();
  CHECK(after == before);
  CHECK(routed >= 6000);
}

}  // namespace
}  // namespace segue::routing
