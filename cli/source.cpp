#include "cli/source.hpp"

#include <fmt/format.h>

#include <utility>

#include "exchange/error.hpp"

namespace segue::cli {
namespace {

constexpr std::string_view kJournal = "journal:";
constexpr std::string_view kKafka = "kafka://";
constexpr std::string_view kArchive = "archive:";

// What is called for, and how it is written.
struct Forms {
  const char* noun;
  const char* text;
};

Forms forms_of(SourceKinds kinds) {
  switch (kinds) {
    case SourceKinds::recorded:
      return {"source", "journal:DIR or kafka://BROKERS/TOPIC"};
    case SourceKinds::topic:
      return {"topic", "kafka://host:port,host:port/TOPIC"};
    case SourceKinds::archive:
      return {"archive", "archive:DIR or archive:s3://BUCKET/PREFIX"};
    case SourceKinds::any:
      break;
  }
  return {"source", "journal:DIR, kafka://BROKERS/TOPIC, archive:DIR or archive:s3://BUCKET/PREFIX"};
}

Source configured_source(const KafkaOptions& options, SourceKinds kinds) {
  std::optional<config::Settings> configured = options.configuration();
  const Forms forms = forms_of(kinds);
  if (!configured)
    throw StartupError(fmt::format("no {}: give one ({}), or a configuration with -c ({} is not "
                                   "there)",
                                   forms.noun, forms.text, options.configuration_path()));
  if (kinds == SourceKinds::topic && !configured->kafka)
    throw StartupError(fmt::format("no topic: give one ({}); {} has no recorder.kafka", forms.text,
                                   options.configuration_path()));
  Source source{configured->journal.directory, std::nullopt, configured->keys};
  if (kinds == SourceKinds::archive) {
    source.archive = archive_of(*configured);
    return source;
  }
  if (!configured->kafka) return source;
  kafka::Settings settings = options.settings();
  std::string topic = settings.topic;
  source.kafka = KafkaSource{std::move(settings), std::move(topic), options.timeout()};
  return source;
}

Source kafka_source(std::string_view text, const KafkaOptions& options) {
  std::string_view rest = text.substr(kKafka.size());
  if (rest.find('@') != std::string_view::npos)
    throw StartupError("a kafka:// source carries no credentials: they come from recorder.kafka of "
                       "the configuration (-c) or from --property");
  const std::size_t slash = rest.find('/');
  const std::string_view topic =
      slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  std::vector<std::string> brokers = split_brokers(rest.substr(0, slash));
  if (brokers.empty() || topic.empty() || topic.find('/') != std::string_view::npos)
    throw StartupError(fmt::format("{}: write kafka://host:port,host:port/TOPIC", text));
  std::optional<config::Settings> configured = options.configuration();
  Source source;
  if (configured) {
    source.journal = configured->journal.directory;
    source.keys = configured->keys;
  }
  source.kafka = KafkaSource{options.settings_for(std::move(brokers)), std::string(topic),
                             options.timeout()};
  return source;
}

// A configuration says how S3 is reached, and has the keys of accounts; without one the environment
// says so.
Source archive_source(std::string_view text, const KafkaOptions& options) {
  const auto location = warehouse::parse_location(text);
  if (!location)
    throw StartupError(fmt::format("{}: write archive:DIR or archive:s3://BUCKET/PREFIX", text));
  Source source;
  source.archive = ArchiveSource{*location, {}};
  const bool is_remote = !location->bucket.empty();
  if (!is_remote && !options.names_configuration()) return source;
  if (const auto configured = options.configuration()) {
    source.journal = configured->journal.directory;
    source.keys = configured->keys;
    source.archive->s3 = configured->archive.s3;
  }
  return source;
}

bool takes(SourceKinds kinds, std::string_view scheme) {
  switch (kinds) {
    case SourceKinds::recorded:
      return scheme != kArchive;
    case SourceKinds::topic:
      return scheme == kKafka;
    case SourceKinds::archive:
      return scheme == kArchive;
    case SourceKinds::any:
      break;
  }
  return true;
}

Source parse_source(std::string_view text, const KafkaOptions& options, SourceKinds kinds) {
  const auto is = [&](std::string_view scheme) {
    return text.starts_with(scheme) && takes(kinds, scheme);
  };
  if (is(kJournal) && text.size() > kJournal.size()) {
    Source source{std::filesystem::path(text.substr(kJournal.size())), std::nullopt, {}};
    if (options.names_configuration()) source.keys = options.configuration()->keys;
    return source;
  }
  if (is(kKafka)) return kafka_source(text, options);
  if (is(kArchive)) return archive_source(text, options);
  const Forms forms = forms_of(kinds);
  throw StartupError(fmt::format("{}: not {} {} for this command; write {}", text,
                                 kinds == SourceKinds::archive ? "an" : "a", forms.noun,
                                 forms.text));
}

}  // namespace

ArchiveSource archive_of(const config::Settings& configured) {
  return {configured.archive.to, configured.archive.s3};
}

std::string Source::name() const {
  if (archive) return archive->location.name();
  if (!kafka) return fmt::format("journal:{}", journal.string());
  return fmt::format("kafka://{}/{}", fmt::join(kafka->settings.brokers, ","), kafka->topic);
}

Source resolve_source(const std::optional<std::string>& text, const KafkaOptions& options,
                      SourceKinds kinds) {
  return text ? parse_source(*text, options, kinds) : configured_source(options, kinds);
}

}  // namespace segue::cli
