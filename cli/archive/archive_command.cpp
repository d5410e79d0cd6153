#include "cli/archive/archive_command.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "cli/archive/archiver_metrics.hpp"
#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/interruption.hpp"
#include "cli/word_option.hpp"
#include "runtime/clock.hpp"
#include "warehouse/archive/destination.hpp"
#include "warehouse/archive/gone_records.hpp"
#include "warehouse/archive/manifest_topic.hpp"
#include "warehouse/archive/topic_records.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::cli {
namespace {

using std::chrono::milliseconds;
using warehouse::ArchiveFrom;
using warehouse::Archiver;
using warehouse::Claim;
using warehouse::Done;
using warehouse::JournalRecords;
using warehouse::kNoManifest;

constexpr std::uint64_t kMostFlushRows = 16'777'216;
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{60'000};
constexpr milliseconds kSlice{100};

void tell(const std::string& line) { fmt::print(stderr, "seguectl: {}\n", line); }

// What an archiver does, a line each. An observer hears of what was done behind the last checkpoint,
// too, however long ago.
class Told : public warehouse::ArchiveObserver {
 public:
  void archived(const Claim& claim, const Done& done) override {
    if (done.done_at < begin_) return;
    const std::string range =
        fmt::format("{}/{} {} to {}", claim.chain.topic, claim.chain.partition, claim.start, claim.end);
    if (claim.kind == Claim::Kind::lost)
      return tell(fmt::format("{}: lost: {}", range, claim.reason));
    tell(fmt::format("{}: {} rows, {} bytes: {}", range, grouped(done.file.rows),
                     grouped(done.file.bytes), done.path));
    if (done.file.rows < claim.file.rows)
      tell(fmt::format("{}: {} rows fewer than were claimed: their source no longer had them", range,
                       grouped(claim.file.rows - done.file.rows)));
  }
  void troubled(const std::string& why, milliseconds pause) override {
    tell(fmt::format("{}; it is tried again in {}", why, duration_text(pause.count())));
  }

 private:
  const std::int64_t begin_ = runtime::unix_micros_now();
};

std::string host_and_process() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return fmt::format("process {}", ::getpid());
  return fmt::format("{} process {}", name, ::getpid());
}

// Files of hundreds of megabytes: not where memory may be the disk.
std::filesystem::path usual_staging() {
  const char* const folder = std::getenv("TMPDIR");
  return std::filesystem::path(folder == nullptr ? "/var/tmp" : folder) / "segue-archive";
}

milliseconds checked_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration || *duration < milliseconds(100) || *duration > std::chrono::hours(24))
    throw CLI::ValidationError("--flush-every", text + ": write 100ms to 24h");
  return *duration;
}

// Nobody waits with the archive for those who load it.
void look_for(warehouse::ManifestTopic& manifest) {
  try {
    manifest.check();
  } catch (const RemoteError& error) {
    tell(fmt::format("{}; it is archived all the same, and the manifest is told as soon as it can be "
                     "(--manifest {}: never)",
                     error.what(), kNoManifest));
  }
}

warehouse::ArchiveLocation location_of(const std::string& text) {
  const auto location = warehouse::parse_location(text);
  if (!location)
    throw StartupError(
        fmt::format("{}: not an archive; write archive:DIR or archive:s3://BUCKET/PREFIX", text));
  return *location;
}

}  // namespace

// What options and configuration say.
struct ArchiveCommand::Plan {
  Source source;
  warehouse::ArchiveLocation to;
  warehouse::S3Settings s3;
  std::uint64_t flush_rows = 0;
  milliseconds flush_every{};
  std::string manifest;
};

ArchiveCommand::ArchiveCommand(CLI::App& program)
    : command_(program.add_subcommand("archive", "Recorded exchanges into Parquet files, each once")) {
  command_->add_option("SOURCE", source_,
                       "journal:DIR or kafka://BROKERS/TOPIC; default: what archive.from of the "
                       "configuration says");
  command_
      ->add_option("--to", to_,
                   "archive:DIR or archive:s3://BUCKET/PREFIX; default: archive.to of the "
                   "configuration")
      ->type_name("ARCHIVE")
      ->envname("SEGUE_TO");
  command_->add_flag("--once", once_, "What waits now, instead of going on until SIGTERM or Ctrl-C");
  command_->add_option("--staging", staging_, "Folder in which files are made; several may share it")
      ->type_name("DIR")
      ->envname("SEGUE_STAGING")
      ->default_str(usual_staging().string());
  command_->add_option("--flush-rows", flush_rows_, "Rows in a file at most")
      ->check(CLI::Range(std::uint64_t{1}, kMostFlushRows))
      ->type_name("N")
      ->envname("SEGUE_FLUSH_ROWS");
  command_
      ->add_option_function<std::string>(
          "--flush-every", [this](const std::string& text) { flush_every_ = checked_duration(text); },
          "What is there by then becomes a file, full or not; 100ms to 24h")
      ->type_name("DURATION")
      ->envname("SEGUE_FLUSH_EVERY");
  command_->add_flag("--new-epoch", new_epoch_,
                     "Partitions of a topic that was deleted and made again: archive them as TOPIC@2");
  command_->add_flag("--give-up", give_up_,
                     "With --once: end claims without .done of this source that it can never "
                     "finish, for it has their records no more; those count as lost");
  add_word_option<std::optional<JournalRecords::Switch>>(
      *command_, "--switch-archive", switch_,
      {{"rest", JournalRecords::Switch::rest}, {"all", JournalRecords::Switch::all}},
      "With --once: from now on this is the archive of a journal that had another one. rest: it "
      "gets what the other has not got; all: everything that the journal still holds");
  command_
      ->add_option("--group", group_,
                   "Consumer group by which instances share a topic's partitions")
      ->type_name("GROUP")
      ->envname("SEGUE_GROUP")
      ->capture_default_str();
  command_
      ->add_option("--manifest", manifest_,
                   fmt::format("Topic that is told of each file, for loaders; {}: nobody is told; "
                               "default: archive.manifest of the configuration, or {}; for a SOURCE "
                               "that is a topic",
                               kNoManifest, warehouse::kManifestTopic))
      ->type_name("TOPIC")
      ->envname("SEGUE_MANIFEST");
  command_
      ->add_option("--metrics", metrics_,
                   "What it did, in Prometheus' text format, written anew after each round; for "
                   "node_exporter's textfile collector NAME.prom")
      ->type_name("FILE")
      ->envname("SEGUE_METRICS");
  kafka_.add_to(*command_);
}

bool ArchiveCommand::chosen() const { return command_->parsed(); }

ArchiveCommand::Plan ArchiveCommand::plan() const {
  const auto configured = kafka_.configuration();
  const warehouse::ArchiveSettings settings =
      configured ? configured->archive : warehouse::ArchiveSettings{};
  if (!configured && !to_)
    throw StartupError(
        fmt::format("where to? give --to archive:DIR or archive:s3://BUCKET/PREFIX, or a "
                    "configuration with -c ({} is not there)",
                    kafka_.configuration_path()));
  Plan plan;
  if (!source_ && configured && settings.from == ArchiveFrom::journal) {
    plan.source.journal = configured->journal.directory;
    plan.source.keys = configured->keys;
  } else {
    plan.source = resolve_source(source_, kafka_, SourceKinds::recorded);
  }
  if (new_epoch_ && !plan.source.kafka)
    throw StartupError("--new-epoch is for topics; a journal's runs have names of their own");
  if (give_up_ && !once_) throw StartupError("--give-up is for --once");
  if (switch_ && plan.source.kafka)
    throw StartupError("--switch-archive is for journals; a topic may have several archives");
  // A service would take any archive for the right one whenever it starts.
  if (switch_ && !once_)
    throw StartupError("--switch-archive is for --once; a service goes on from there");
  plan.to = to_ ? location_of(*to_) : settings.to;
  plan.s3 = settings.s3;
  plan.flush_rows = flush_rows_.value_or(settings.flush_rows);
  plan.flush_every = flush_every_.value_or(settings.flush_every);
  plan.manifest = manifest_.value_or(settings.manifest);
  return plan;
}

warehouse::ArchiverOptions ArchiveCommand::options(const Plan& plan) const {
  warehouse::ArchiverOptions options;
  options.staging = staging_.empty() ? usual_staging() : staging_;
  options.flush_rows = plan.flush_rows;
  options.flush_every = plan.flush_every;
  options.writer = host_and_process();
  options.told_to_end = interrupted;
  return options;
}

warehouse::TopicReading ArchiveCommand::reading(const Plan& plan) const {
  using Reading = warehouse::TopicReading;
  const auto& kafka = plan.source.kafka;
  return {.settings = kafka->settings,
          .topic = kafka->topic,
          .group = group_,
          .timeout = kafka->timeout,
          .share = once_ ? Reading::Share::all : Reading::Share::group,
          .epoch = new_epoch_ ? Reading::Epoch::next : Reading::Epoch::same,
          .stopping = interrupted};
}

// Where one is to be made, only for a source that is there and has no other.
warehouse::Archive ArchiveCommand::open_archive(const Plan& plan, warehouse::ObjectStore& store,
                                                JournalRecords* journal) const {
  using warehouse::Archive;
  if (journal == nullptr) {
    if (auto found = Archive::find(store)) return std::move(*found);
    warehouse::expect_topic(reading(plan));
    return Archive::open_or_create(store);
  }
  if (switch_) {
    Archive archive = Archive::open_or_create(store);
    journal->switch_to(archive, *switch_);
    return archive;
  }
  Archive archive = warehouse::open_archive_of(plan.source.journal, store);
  journal->goes_into(archive);
  return archive;
}

void ArchiveCommand::archive(const Plan& plan) const {
  std::unique_ptr<JournalRecords> journal;
  if (!plan.source.kafka)
    journal = std::make_unique<JournalRecords>(
        plan.source.journal, tell,
        once_ ? JournalRecords::Role::once : JournalRecords::Role::service);
  const auto store = warehouse::open_store(plan.to, plan.s3, interrupted);
  warehouse::Archive archive = open_archive(plan, *store, journal.get());
  std::unique_ptr<warehouse::RecordSource> source = std::move(journal);
  std::unique_ptr<warehouse::ManifestTopic> manifest;
  Told told;
  std::vector<warehouse::ArchiveObserver*> observers{&told};
  if (const auto& kafka = plan.source.kafka) {
    source = std::make_unique<warehouse::TopicRecords>(reading(plan), archive);
    if (plan.manifest != kNoManifest) {
      manifest = std::make_unique<warehouse::ManifestTopic>(kafka->settings, plan.manifest,
                                                            archive, kafka->timeout);
      observers.push_back(manifest.get());
      look_for(*manifest);
    }
  }
  warehouse::ArchiveFileEncoder encoder;
  if (give_up_) {
    warehouse::GoneRecords gone(source->name(), given_up(archive, *source, plan));
    Archiver(archive, gone, encoder, options(plan), observers).run_once();
  }
  warehouse::ArchiverOptions options = this->options(plan);
  std::optional<ArchiverMetricsFile> metrics;
  if (!metrics_.empty()) {
    metrics.emplace(metrics_);
    options.after_round = [&metrics](const warehouse::ArchiveTally& tally) {
      metrics->write(tally);
    };
  }
  Archiver archiver(archive, *source, encoder, std::move(options), observers);
  if (once_)
    archiver.run_once();
  else
    archiver.run();
  const warehouse::ArchiveTally& tally = archiver.tally();
  tell(fmt::format("{} to {}: {} rows in {} claims{}{}{}", plan.source.name(), store->name(),
                   grouped(tally.rows), grouped(tally.claims),
                   tally.repaired == 0 ? "" : fmt::format(", {} finished", grouped(tally.repaired)),
                   tally.lost == 0 ? "" : fmt::format(", {} offsets lost", grouped(tally.lost)),
                   tally.untold == 0 ? ""
                                     : fmt::format(", {} that the manifest is never told of",
                                                   grouped(tally.untold))));
}

// The chains whose open claims are to be ended, each told.
std::vector<warehouse::Chain> ArchiveCommand::given_up(const warehouse::Archive& archive,
                                                       warehouse::RecordSource& source,
                                                       const Plan& plan) const {
  const auto there = source.chains();
  const auto* const journal = dynamic_cast<const JournalRecords*>(&source);
  const auto is_gone = [&](const warehouse::Chain& chain) {
    if (journal != nullptr) return journal->is_gone(chain);
    return warehouse::epoch_of(chain, plan.source.kafka->topic) != 0 &&
           std::ranges::find(there, chain) == there.end();
  };
  const auto now = runtime::unix_micros_now();
  std::vector<warehouse::Chain> gone;
  for (const warehouse::Chain& chain : archive.chains()) {
    if (!is_gone(chain)) continue;
    const warehouse::LeftOpen left = warehouse::left_open(archive, chain, now);
    if (left.claims == 0) continue;
    tell(fmt::format("{}/{}: not in {} any more; {} claims without .done {}", chain.topic,
                     chain.partition, source.name(), grouped(left.claims),
                     left.is_old ? "are ended"
                                 : "stay, for an archiver elsewhere may be at them: the last is "
                                   "not an hour old"));
    if (left.is_old) gone.push_back(chain);
  }
  return gone;
}

// What is away when the service starts may come; what is wrong stays wrong.
void ArchiveCommand::serve(const Plan& plan) const {
  milliseconds length = kFirstPause;
  while (!interrupted()) {
    try {
      return archive(plan);
    } catch (const RemoteError& error) {
      if (interrupted()) return;
      Told().troubled(error.what(), length);
    }
    for (auto left = length; left > milliseconds(0) && !interrupted(); left -= kSlice)
      ::poll(nullptr, 0, static_cast<int>(kSlice.count()));
    length = std::min(length * 2, kLongestPause);
  }
}

int ArchiveCommand::run() {
  const Plan what = plan();
  listen_for_interrupts();
  if (!once_) {
    serve(what);
    return kClean;
  }
  try {
    archive(what);
  } catch (const RemoteError&) {
    if (!interrupted()) throw;
  }
  if (!interrupted()) return kClean;
  tell("it was told to end before it was through; what is not archived yet the next run finds");
  return interrupted_code();
}

}  // namespace segue::cli
