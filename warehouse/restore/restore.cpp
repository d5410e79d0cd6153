#include "warehouse/restore/restore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "exchange/error.hpp"
#include "kafka/admin.hpp"
#include "kafka/partition_ranges.hpp"
#include "kafka/schema_registry.hpp"
#include "kafka/topic_writer.hpp"
#include "recorder/publisher/exchange_schema.hpp"
#include "recorder/publisher/topic_limits.hpp"
#include "warehouse/archive/topic_records.hpp"
#include "warehouse/restore/archived_identities.hpp"
#include "warehouse/restore/offset_set.hpp"
#include "warehouse/restore/restored_record.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/record_rows.hpp"

namespace segue::warehouse {
namespace {

std::optional<std::int32_t> partition_number(const std::string& text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && number >= 0;
  return whole ? std::optional(number) : std::nullopt;
}

std::int64_t signed_number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The topics of an archive, for who asked for another.
std::string topics_text(const Archive& archive) {
  std::set<std::string> topics;
  for (const Chain& chain : archive.chains()) topics.insert(chain.topic);
  return topics.empty() ? "nothing" : fmt::format("{}", fmt::join(topics, ", "));
}

}  // namespace

struct Restore::State {
  // A partition and the chains that it was archived as, oldest first.
  struct Part {
    std::vector<Chain> chains;
    std::map<Chain, ArchivedChain> archived;
    std::map<Chain, OffsetSet> there;
    std::int64_t looked_to = 0;  // records of the topic before it are known
    PartitionPlan plan;
  };

  State(RestoreRequest what, const Archive& from)
      : request(std::move(what)),
        archive(from),
        ranges(request.settings, request.timeout, request.topic, 1) {
    mount(engine, archive.store());
  }

  void find_parts();
  void check_topic();
  void find_archived(Part& part);
  void look_at_topic(Part& part, const kafka::OffsetRange& held, const Progress& progress,
                     const std::function<bool()>& stopping);
  void look_again(Part& part, const std::function<bool()>& stopping);
  void count(Part& part, const std::function<bool()>& stopping);
  void count(Part& part, const ArchivedRange& range);
  ValueForm value_form();
  void put_back(Part& part, const ArchivedRange& range, std::uint64_t first, std::uint64_t last);

  const RestoreRequest request;
  const Archive& archive;
  kafka::PartitionRanges ranges;
  Engine engine;
  std::map<std::int32_t, Part> parts;
  std::optional<kafka::TopicWriter> writer;
  std::optional<RestoredRecord> record;
  std::uint64_t scanned = 0;
  std::uint64_t to_scan = 0;
  std::uint64_t done = 0;
};

void Restore::State::find_parts() {
  std::vector<Chain> chains = archive.chains();
  std::erase_if(chains, [&](const Chain& chain) { return epoch_of(chain, request.source) == 0; });
  std::ranges::sort(chains, {}, [&](const Chain& chain) { return epoch_of(chain, request.source); });
  for (const Chain& chain : chains) {
    const auto number = partition_number(chain.partition);
    if (!number)
      throw StartupError(fmt::format("{}: {} was archived from a journal, not from Kafka: it has no "
                                     "partitions to put it back into",
                                     archive.store().name(), request.source));
    const bool wanted = request.partitions.empty() ||
                        std::ranges::find(request.partitions, *number) != request.partitions.end();
    if (wanted) parts[*number].chains.push_back(chain);
  }
  if (chains.empty())
    throw StartupError(fmt::format("{}: it has nothing of topic {}; it has {}; --source names another",
                                   archive.store().name(), request.source, topics_text(archive)));
  for (const std::int32_t wanted : request.partitions)
    if (!parts.contains(wanted))
      throw StartupError(fmt::format("{}: it has no partition {} of {}", archive.store().name(),
                                     wanted, request.source));
}

void Restore::State::check_topic() {
  const kafka::TopicPlace place = ranges.cluster().topic(request.topic);
  const auto most = static_cast<std::int32_t>(place.partitions.size());
  const std::int32_t last = parts.rbegin()->first;
  if (last >= most)
    throw StartupError(fmt::format(
        "kafka {}: topic {} has {} partitions, and what is archived was in {} at least: records go "
        "back into their own; see `seguectl topics ensure --partitions {}`",
        ranges.cluster().brokers_text(), request.topic, most, last + 1, last + 1));
}

void Restore::State::find_archived(Part& part) {
  for (const Chain& chain : part.chains) {
    ArchivedChain found = find_ranges(archive, chain, request.times);
    part.plan.lost += found.lost;
    part.plan.forgotten += found.forgotten;
    part.plan.unfinished += found.unfinished;
    part.archived.insert_or_assign(chain, std::move(found));
  }
}

// Each record by itself: a topic that was made anew may hold, at offsets of old, some that its
// publisher sent again and others that are new.
void Restore::State::look_at_topic(Part& part, const kafka::OffsetRange& held,
                                   const Progress& progress,
                                   const std::function<bool()>& stopping) {
  constexpr std::uint64_t kBetweenLooks = 1'024;  // records
  std::map<Chain, ArchivedIdentities> identities;
  if (request.source == request.topic)
    for (const auto& [chain, found] : part.archived) identities.try_emplace(chain, engine, found);
  ranges.start(part.plan.partition, held.low, held.high);
  const std::uint64_t before = scanned;
  while (const kafka::TopicRecord* const found = ranges.next()) {
    scanned = before + static_cast<std::uint64_t>(found->offset - held.low);
    if (scanned % kBetweenLooks == 0) {
      progress(scanned, to_scan);
      if (stopping()) return;
    }
    const auto mark = mark_of(*found);
    if (mark && mark->archive == archive.id()) {
      part.there[mark->chain].add(mark->offset);
      continue;
    }
    const auto offset = static_cast<std::uint64_t>(found->offset);
    for (auto& [chain, of_chain] : identities)
      if (of_chain.has(offset, payload_of(*found))) part.there[chain].add(offset);
  }
  scanned = before + static_cast<std::uint64_t>(held.high - held.low);
  part.looked_to = held.high;
  ranges.stop(part.plan.partition);
}

// What a restore that was killed had sent may have arrived since the plan was made.
void Restore::State::look_again(Part& part, const std::function<bool()>& stopping) {
  const kafka::OffsetRange now = ranges.offsets(part.plan.partition);
  const std::int64_t from = std::max(part.looked_to, now.low);
  if (from < now.high) look_at_topic(part, {from, now.high}, [](auto, auto) {}, stopping);
}

void Restore::State::count(Part& part, const ArchivedRange& range) {
  if (range.keys.empty()) return;
  open_files(engine, range);
  const OffsetSet& there = part.there[range.chain];
  PartitionPlan& plan = part.plan;
  engine.ask("SELECT \"offset\"::VARCHAR, epoch_us(created_at)::VARCHAR FROM " +
                 rows_of(range.chain, range.start, range.end, request.times),
             [&](const Engine::Row& row) {
               ++plan.rows;
               if (there.contains(static_cast<std::uint64_t>(signed_number(row[0])))) ++plan.there;
               if (row[1].data() == nullptr) return;
               const std::int64_t at = signed_number(row[1]);
               plan.first = plan.first == 0 ? at : std::min(plan.first, at);
               plan.last = std::max(plan.last, at);
             });
}

void Restore::State::count(Part& part, const std::function<bool()>& stopping) {
  for (const Chain& chain : part.chains)
    for (const ArchivedRange& range : part.archived[chain].ranges) {
      if (stopping()) return;
      count(part, range);
    }
}

ValueForm Restore::State::value_form() {
  ValueForm form{std::nullopt, recorder::TopicLimits::kAssumed};
  try {
    const auto config = kafka::Admin(ranges.cluster()).topic_config(request.topic);
    const auto limit = config.find("max.message.bytes");
    if (limit != config.end())
      form.max_bytes = static_cast<std::size_t>(signed_number(limit->second.value));
  } catch (const RemoteError&) {
    // Who may write to a topic may not always see its configuration.
  }
  if (!request.settings.registry) return form;
  kafka::SchemaRegistry registry(*request.settings.registry);
  const kafka::RegistryAnswer answer =
      registry.ensure(kafka::value_subject(request.topic), recorder::exchange_schema());
  if (answer.kind != kafka::RegistryAnswer::Kind::ok)
    throw RemoteError(fmt::format("schema registry {}: {}", request.settings.registry->url,
                                  answer.detail));
  form.schema_id = static_cast<std::uint32_t>(answer.schema_id);
  return form;
}

void Restore::State::put_back(Part& part, const ArchivedRange& range, std::uint64_t first,
                              std::uint64_t last) {
  OffsetSet& there = part.there[range.chain];
  RecordRows rows(engine, rows_of(range.chain, first, last, request.times) + " ORDER BY \"offset\"");
  while (RecordRow* const row = rows.next()) {
    if (there.contains(row->offset)) continue;
    auto outgoing = record->make(*row, {archive.id(), range.chain, row->offset},
                                 part.plan.partition);
    if (!outgoing)
      throw StartupError(fmt::format(
          "{}/{}: offset {} is larger even without its bodies than max.message.bytes of topic {}: "
          "raise that",
          range.chain.topic, range.chain.partition, row->offset, request.topic));
    writer->send(std::move(*outgoing));
    there.add(row->offset);
    ++done;
  }
}

Restore::Restore(RestoreRequest request, const Archive& archive)
    : state_(std::make_unique<State>(std::move(request), archive)) {
  state_->find_parts();
  state_->check_topic();
}

Restore::~Restore() = default;

std::uint64_t Restore::cut() const noexcept {
  return state_->record ? state_->record->cut() : 0;
}

std::vector<PartitionPlan> Restore::plan(const Progress& progress,
                                         const std::function<bool()>& stopping) {
  State& state = *state_;
  kafka::OffsetRanges held;
  state.scanned = state.to_scan = 0;
  for (auto& [number, part] : state.parts) {
    const kafka::OffsetRange range = state.ranges.offsets(number);
    held.emplace(number, range);
    part.plan = {.partition = number, .held = static_cast<std::uint64_t>(range.high - range.low)};
    part.there.clear();
    state.to_scan += part.plan.held;
  }
  std::vector<PartitionPlan> plans;
  for (auto& [number, part] : state.parts) {
    state.find_archived(part);
    state.look_at_topic(part, held.at(number), progress, stopping);
    state.count(part, stopping);
    plans.push_back(part.plan);
  }
  return plans;
}

std::uint64_t Restore::carry_out(const Progress& progress, const std::function<bool()>& stopping) {
  State& state = *state_;
  std::uint64_t total = 0;
  for (const auto& [number, part] : state.parts) total += part.plan.to_do();
  state.done = 0;
  state.record.emplace(state.value_form());
  state.writer.emplace(state.request.settings, state.request.topic, state.request.timeout);
  for (auto& [number, part] : state.parts) {
    state.look_again(part, stopping);
    for (const Chain& chain : part.chains)
      for (const ArchivedRange& range : part.archived[chain].ranges) {
        if (range.keys.empty()) continue;
        open_files(state.engine, range);
        const std::uint64_t slice = range.slice();
        for (std::uint64_t first = range.start; first <= range.end; first += slice) {
          if (stopping()) {
            state.writer->flush();
            return state.done;
          }
          state.put_back(part, range, first, std::min(range.end, first + slice - 1));
          progress(state.done, total);
        }
      }
  }
  state.writer->flush();
  return state.done;
}

}  // namespace segue::warehouse
