// Two archivers of the same source, killed at random moments: SEGUE_TEST_ROUNDS times.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/archive/given_records.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::warehouse {
namespace {

constexpr unsigned kUsualRounds = 12;
constexpr int kLongestLife = 400;  // milliseconds
constexpr std::uint64_t kNoEnd = 1'000'000'000;

struct Place {
  std::string location, endpoint, credentials;
  std::filesystem::path files;  // of its objects
};

class Crime {
 public:
  explicit Crime(Place place) : place_(std::move(place)) {}

  std::unique_ptr<test::Process> victim(std::uint64_t end) const {
    const std::vector<std::string> command{SEGUE_ARCHIVE_VICTIM,
                                           place_.location,
                                           place_.endpoint,
                                           place_.credentials,
                                           (folder_ / "staging").string(),
                                           fmt::format("{}", end)};
    return std::make_unique<test::Process>(command, folder_ / "out");
  }

  // Kills one of two, or both, again and again; others take their places.
  void kill_at_random(unsigned rounds, std::uint64_t seed) const {
    std::mt19937_64 random(seed);
    std::array<std::unique_ptr<test::Process>, 2> living{victim(kNoEnd), victim(kNoEnd)};
    for (unsigned round = 0; round < rounds; ++round) {
      ::poll(nullptr, 0, static_cast<int>(random() % kLongestLife));
      const bool both = random() % 4 == 0;
      const std::size_t chosen = random() % living.size();
      for (std::size_t i = 0; i < living.size(); ++i) {
        if (!both && i != chosen) continue;
        living[i]->signal(SIGKILL);
        const test::ProcessEnd end = living[i]->wait();
        INFO(living[i]->errors());
        CHECK(end.signal == SIGKILL);  // it was still at it
        living[i] = victim(kNoEnd);
      }
    }
  }

  // What two that were never killed make of it.
  void check_all_is_there() const {
    S3Settings s3;
    s3.endpoint = place_.endpoint;
    s3.credentials_file = place_.credentials;
    const auto store = open_store(*parse_location(place_.location), s3);
    const Archive archive = Archive::open_or_create(*store);
    std::uint64_t end = 0;
    for (const Chain& chain : archive.chains()) end = std::max(end, archive.tip(chain).next);
    end += 250;
    const auto one = victim(end);
    const auto other = victim(end);
    for (const auto& each : {one.get(), other.get()}) {
      const int code = each->wait().exit_code.value_or(-1);
      INFO(each->errors());
      CHECK(code == 0);
    }
    CHECK(test::what_is_amiss(archive, 0, end) == std::vector<std::string>{});
    const auto rows = test::archived_rows(place_.files);
    CHECK(rows.rows == 2 * end);
    CHECK(rows.distinct == 2 * end);
    CHECK(rows.highest == end - 1);
    fmt::print(stderr, "{} rows, each once\n", rows.rows);
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "staging"))
      CHECK_FALSE(entry.is_directory());
  }

 private:
  test::TempDir folder_;
  Place place_;
};

std::uint64_t new_seed() {
  const std::uint64_t seed = std::random_device{}();
  fmt::print(stderr, "seed {}\n", seed);
  return seed;
}

TEST_CASE("two archivers killed at random moments: every record once, on disk") {
  const test::TempDir folder;
  const auto archive = folder / "archive";
  const Crime crime({fmt::format("archive:{}", archive.string()), "", "", archive});
  crime.kill_at_random(test::rounds(kUsualRounds), new_seed());
  crime.check_all_is_there();
}

TEST_CASE("two archivers killed at random moments: every record once, in S3") {
  const test::Versitygw server;
  server.make_bucket("shop");
  const Crime crime({"archive:s3://shop/a", server.url(), server.credentials_file().string(),
                     server.objects("shop") / "a"});
  crime.kill_at_random(test::rounds(kUsualRounds), new_seed());
  crime.check_all_is_there();
}

}  // namespace
}  // namespace segue::warehouse
