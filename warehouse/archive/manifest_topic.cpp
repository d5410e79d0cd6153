#include "warehouse/archive/manifest_topic.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "kafka/cluster.hpp"
#include "kafka/topic_writer.hpp"

namespace segue::warehouse {
namespace {

namespace json = boost::json;

std::string time_text(std::int64_t unix_micros) {
  const std::chrono::sys_time<std::chrono::microseconds> moment{
      std::chrono::microseconds(unix_micros)};
  const Day day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::hh_mm_ss time(moment - day);
  return fmt::format("{}T{:02}:{:02}:{:02}.{:06}Z", text_of(day), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

json::value time_or_null(std::int64_t unix_micros) {
  if (unix_micros == 0) return nullptr;
  return json::string(time_text(unix_micros));
}

// Where a file is for other programs, wherever they run: s3://BUCKET/PREFIX/KEY, or its absolute path.
std::string url_of(const ObjectStore& store, const std::string& key) {
  if (const auto file = store.file_of(key))
    return std::filesystem::absolute(*file).lexically_normal().string();
  constexpr std::string_view kScheme = "archive:";
  std::string_view name = store.name();
  if (name.starts_with(kScheme)) name.remove_prefix(kScheme.size());
  return fmt::format("{}/{}", name, key);
}

json::array files_of(const Archive& archive, const Done& done) {
  if (done.path.empty()) return {};
  return {json::object{{"path", done.path},
                       {"url", url_of(archive.store(), done.path)},
                       {"rows", done.file.rows},
                       {"bytes", done.file.bytes},
                       {"sha256", done.file.sha256}}};
}

}  // namespace

std::string manifest_key(const Claim& claim) {
  return fmt::format("{}/{}/{}", claim.chain.topic, claim.chain.partition, claim.start);
}

std::string manifest_json(const Archive& archive, const Claim& claim, const Done& done) {
  const bool lost = claim.kind == Claim::Kind::lost;
  const Day day = day_of_key(done.path).value_or(claim.day);
  json::object book{{"format_version", kManifestVersion},
                    {"archive", archive.id()},
                    {"source", claim.chain.topic},
                    {"partition", claim.chain.partition},
                    {"start", claim.start},
                    {"end", claim.end},
                    {"kind", lost ? "lost" : "rows"},
                    {"dt", text_of(day)},
                    {"files", files_of(archive, done)},
                    {"rows", done.file.rows},
                    {"bytes", done.file.bytes},
                    {"sha256", done.file.sha256},
                    {"min_created_at", time_or_null(done.file.min_created_at)},
                    {"max_created_at", time_or_null(done.file.max_created_at)},
                    {"failures", done.file.failures},
                    {"schema_version", kFileSchemaVersion}};
  if (lost) book["reason"] = claim.reason;
  return json::serialize(book);
}

struct ManifestTopic::State {
  const kafka::Settings settings;
  const std::string topic;
  const Archive& archive;
  const std::chrono::milliseconds timeout;
  std::optional<kafka::TopicWriter> writer;  // none: the topic is to be looked for
};

ManifestTopic::ManifestTopic(const kafka::Settings& settings, std::string topic,
                             const Archive& archive, std::chrono::milliseconds timeout)
    : state_(new State{settings, std::move(topic), archive, timeout, std::nullopt}) {}

ManifestTopic::~ManifestTopic() = default;

void ManifestTopic::check() {
  State& state = *state_;
  if (state.writer) return;
  kafka::Cluster(state.settings, state.timeout).topic(state.topic);
  state.writer.emplace(state.settings, state.topic, state.timeout);
}

// A writer waits long for a topic that is not there; who asks for it knows at once.
void ManifestTopic::archived(const Claim& claim, const Done& done) {
  check();
  State& state = *state_;
  const std::string key = manifest_key(claim);
  const std::string value = manifest_json(state.archive, claim, done);
  try {
    state.writer->send({.key = key, .value = value});
    state.writer->flush();
  } catch (const RemoteError&) {
    state.writer.reset();  // what failed once sends nothing more
    throw;
  }
}

}  // namespace segue::warehouse
