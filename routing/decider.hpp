#pragma once

#include <optional>

#include "routing/compiled_routes.hpp"
#include "routing/escapes.hpp"
#include "routing/route_table.hpp"
#include "routing/scratch.hpp"

namespace segue::routing {

// One decision: made on the stack by decide(), used once. Allocates only in the scratch.
class Decider {
 public:
  Decider(const CompiledRoutes& table, const HeadView& head, const Peer& peer, Scratch& scratch)
      : table_(table), head_(head), peer_(peer), scratch_(scratch) {}
  Decision run();

 private:
  const TrieEntry* find(const RequestPath& path);
  const TrieEntry* find_by_host(const RequestPath& path);
  const TrieEntry* find_in(std::uint32_t trie, const RequestPath& path);
  bool accepts(const TrieEntry& entry);
  std::optional<Decision::Verdict> judge_other_readings(const TrieEntry* routed);
  void fill(Decision& decision, const TrieEntry& entry);
  void fill_parameters(const PathPattern& pattern);
  void choose_backend(Decision& decision, const CompiledRoute& route);

  const CompiledRoutes& table_;
  const HeadView& head_;
  const Peer& peer_;
  Scratch& scratch_;
  TargetParts target_;
  std::uint64_t method_ = 0;
};

}  // namespace segue::routing
