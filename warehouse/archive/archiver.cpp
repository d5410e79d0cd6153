#include "warehouse/archive/archiver.hpp"

#include <poll.h>

#include <algorithm>
#include <exception>

#include "warehouse/archive/chain_writer.hpp"
#include "warehouse/archive/staging.hpp"

namespace segue::warehouse {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{60'000};
constexpr milliseconds kLook{1'000};   // how often it is looked whether a file is full
constexpr milliseconds kSlice{100};    // how often it is asked whether to end

// Says how far it is, whatever comes of a round.
class RoundEnd {
 public:
  RoundEnd(const ArchiverOptions& options, const ArchiveTally& tally)
      : options_(options), tally_(tally) {}
  ~RoundEnd() {
    if (options_.after_round) options_.after_round(tally_);
  }
  RoundEnd(const RoundEnd&) = delete;
  RoundEnd& operator=(const RoundEnd&) = delete;

 private:
  const ArchiverOptions& options_;
  const ArchiveTally& tally_;
};

}  // namespace

Archiver::Archiver(Archive& archive, RecordSource& source, FileEncoder& encoder,
                   ArchiverOptions options, const std::vector<ArchiveObserver*>& observers)
    : archive_(archive),
      source_(source),
      encoder_(encoder),
      options_(std::move(options)),
      announcements_(observers),
      staging_(std::make_unique<Staging>(options_.staging)) {
  options_.flush_rows = std::max<std::uint64_t>(options_.flush_rows, 1);
}

Archiver::~Archiver() = default;

void Archiver::run_once() {
  announcements_.begin_round(Announcements::Again::now);
  go_round();
  announcements_.throw_failure();
}

void Archiver::go_round() {
  const RoundEnd end(options_, tally_);
  const std::vector<Chain> chains = source_.chains();
  // A chain that was another's meanwhile is taken up anew.
  std::erase_if(writers_, [&](const auto& writer) {
    return std::ranges::find(chains, writer.first) == chains.end();
  });
  std::exception_ptr first;
  for (const Chain& chain : chains) {
    if (told_to_end()) break;
    try {
      run_chain(chain);
    } catch (const RemoteError&) {
      throw;  // the others would wait for the same
    } catch (const std::exception&) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

void Archiver::run_chain(const Chain& chain) {
  auto& writer = writers_[chain];
  if (!writer) {
    const ChainTools tools{archive_,       source_,            encoder_, options_,
                           announcements_, staging_->folder(), tally_};
    writer = std::make_unique<ChainWriter>(tools, chain);
  }
  writer->run();
}

void Archiver::run() {
  milliseconds length = kFirstPause;
  while (!told_to_end()) {
    const std::uint64_t claims = tally_.claims;
    try {
      announcements_.begin_round(Announcements::Again::pauses_over);
      go_round();
      announcements_.say_failures();
      length = kFirstPause;
      wait_for_more();
    } catch (const std::exception& error) {
      // Chains that can go on do not wait for one that cannot.
      if (tally_.claims != claims) length = std::min(kFirstPause, options_.flush_every);
      announcements_.say_failures();
      announcements_.say_trouble(error.what(), length);
      pause(length);
      length = std::min(length * 2, kLongestPause);
    }
  }
}

void Archiver::wait_for_more() {
  const auto until = Clock::now() + options_.flush_every;
  while (!told_to_end()) {
    const auto begin = Clock::now();
    const auto left = std::chrono::ceil<milliseconds>(until - begin);
    if (left <= milliseconds(0)) return;
    source_.wait(std::min(left, kLook));
    // A source that has news again and again is not looked at more often for that.
    const auto spent = std::chrono::floor<milliseconds>(Clock::now() - begin);
    if (spent < std::min(left, kSlice)) pause(std::min(left, kSlice) - spent);
    for (const auto& [chain, writer] : writers_)
      if (writer->has_full_file()) return;
  }
}

void Archiver::pause(milliseconds length) {
  const auto until = Clock::now() + length;
  while (!told_to_end()) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left <= milliseconds(0)) return;
    ::poll(nullptr, 0, static_cast<int>(std::min(left, kSlice).count()));
  }
}

}  // namespace segue::warehouse
