#include <algorithm>
#include <utility>

#include "config/documents.hpp"
#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using warehouse::ArchiveFrom;
using warehouse::ArchiveLocation;
using warehouse::ArchiveSettings;
using warehouse::S3Settings;

// Its cursor file is archiver.json, as the archive's reader of journals has it.
constexpr std::string_view kArchiverConsumer = "archiver";
constexpr std::uint64_t kMostFlushRows = 16'777'216;

struct ArchivePlace {
  using Value = ArchiveLocation;
  std::optional<ArchiveLocation> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "archive:DIR or archive:s3://BUCKET/PREFIX";
    const auto text = read_address_text(place, context, kExpected);
    if (!text) return std::nullopt;
    auto location = warehouse::parse_location(*text);
    if (!location)
      refuse_value(place, context, kExpected);
    else if (!location->folder.empty())
      location->folder = (context.folder / location->folder).lexically_normal();
    return location;
  }
  std::string type() const { return "archive:DIR, or archive:s3://BUCKET/PREFIX"; }
  std::string show(const ArchiveLocation& value) const { return value.name(); }
};

// Of an S3 service: what stands behind the host would be a bucket.
struct ServiceUrl {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "http://HOST:PORT or https://HOST";
    auto text = read_address_text(place, context, kExpected);
    if (!text) return std::nullopt;
    if (text->find('@') != std::string::npos) {
      context.report.add(codes::kInlineSecret, place.node.at,
                         fmt::format("{} cannot hold a user or password", place.name),
                         "use credentials: { file: path }");
      return std::nullopt;
    }
    while (text->ends_with('/')) text->pop_back();
    const std::size_t scheme = text->starts_with("http://")    ? 7
                               : text->starts_with("https://") ? 8
                                                               : text->size();
    if (scheme < text->size() && text->find('/', scheme) == std::string::npos) return text;
    refuse_value(place, context, kExpected);
    return std::nullopt;
  }
  std::string type() const { return "URL"; }
  std::string show(const std::string& value) const { return value; }
};

Keys<S3Settings> s3_keys() {
  return {
      key<S3Settings>("endpoint", &S3Settings::endpoint, ServiceUrl{}, "of the service",
                      "AWS's own of the region"),
      key<S3Settings>("region", &S3Settings::region, Text{}, "requests are signed for it"),
      key<S3Settings>("path_style", &S3Settings::path_style, Flag{},
                      "https://HOST/BUCKET/KEY; else https://BUCKET.HOST/KEY"),
      key<S3Settings>("credentials", &S3Settings::credentials_file, Secret{},
                      "file: access key id and secret access key in one line, or the [default] "
                      "section of AWS's own format",
                      "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN of the "
                      "environment"),
      key<S3Settings>("ca", &S3Settings::ca, File{},
                      "PEM file of the authorities that may have signed its certificate",
                      "the system's"),
  };
}

Keys<ArchiveSettings> flush_keys() {
  return {
      key<ArchiveSettings>("rows", &ArchiveSettings::flush_rows, Count{1, kMostFlushRows},
                           "of one file at most"),
      key<ArchiveSettings>("every", &ArchiveSettings::flush_every,
                           Duration{milliseconds{100}, std::chrono::hours{24}},
                           "what is there by then becomes a file, full or not"),
  };
}

Keys<ArchiveSettings> archive_keys() {
  const Choice<ArchiveFrom> sources{
      {{"journal", ArchiveFrom::journal}, {"kafka", ArchiveFrom::kafka}}};
  return {
      key<ArchiveSettings>("from", &ArchiveSettings::from, sources,
                           "where `seguectl archive` reads; with `journal` it is a consumer of the "
                           "journal"),
      key<ArchiveSettings>("to", &ArchiveSettings::to, ArchivePlace{}, "where files of exchanges go"),
      group<ArchiveSettings>("flush", flush_keys()),
      key<ArchiveSettings>("manifest", &ArchiveSettings::manifest, Topic{},
                           "with `from: kafka`: is told of each file, for those who load them; "
                           "`none`: nobody is told"),
      section<ArchiveSettings>("s3", &ArchiveSettings::s3, s3_keys()),
  };
}

}  // namespace

Key<Settings> archive_key() {
  Key<Settings> key = section<Settings>("archive", &Settings::archive, archive_keys());
  key.read = [read = std::move(key.read)](const Place& place, Context& context,
                                          Settings& settings) {
    settings.archives = true;
    read(place, context, settings);
  };
  return key;
}

void finish_archive(const yaml::Node& root, Context& context, Settings& settings) {
  if (!settings.archives) return;
  if (settings.archive.from == ArchiveFrom::journal) {
    auto& consumers = settings.journal.consumers;
    if (std::ranges::find(consumers, kArchiverConsumer) == consumers.end())
      consumers.emplace_back(kArchiverConsumer);
  } else if (!settings.kafka) {
    context.report.add(codes::kMissingKey, locate(root, "archive.from"),
                       "archive.from is kafka, and no Kafka is configured",
                       "recorder: { kafka: { brokers: [host:port] } }, or from: journal");
  }
}

}  // namespace segue::config
