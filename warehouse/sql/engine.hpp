#pragma once

#include <duckdb.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace segue::warehouse {

// What the SQL engine says of a statement that it will not run, or that failed; what() is one line.
class SqlError : public std::runtime_error {
 public:
  explicit SqlError(const std::string& line, std::string place = {})
      : std::runtime_error(line), place_(std::move(place)) {}
  // The part of the statement that it is about, and a caret under it: two lines; empty: not known.
  const std::string& place() const noexcept { return place_; }

 private:
  std::string place_;
};

// How a column's values are told apart in an answer.
enum class ColumnKind : std::uint8_t { text, number, boolean, other };

struct AnswerColumn {
  std::string name;
  ColumnKind kind = ColumnKind::other;
};

// DuckDB in this process, with a database of its own in memory and nothing that it would have to
// fetch: no extension is installed or loaded by itself. One thread asks; interrupt() may come from
// any other. Where a statement throws SqlError, it throws in its place what was noted while it ran.
//
// What a statement needs beyond kMostMemory, or half of the machine's where that is less, it spills
// into a folder of the engine's own in TMPDIR (/tmp), which nobody else can look into and which goes
// with the engine. Where none can be made, such a statement throws.
class Engine {
 public:
  static constexpr std::uint64_t kMostMemory = std::uint64_t{2} << 30;  // octets

  // Throws StartupError.
  Engine();
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Runs a statement whose rows do not matter. Throws SqlError.
  void run(const std::string& sql);

  // What a statement is, before it is run.
  struct Statement {
    bool selects = false;  // it is a SELECT, VALUES, FROM, ...: a view can be made of it
    std::vector<AnswerColumn> columns;
  };
  // Throws SqlError: what is wrong with it, or that it is several.
  Statement look_at(const std::string& sql);

  // Calls `take` with each row of a statement all of whose columns are text; a null value is one
  // whose data() is null. Throws SqlError.
  using Row = std::vector<std::string_view>;
  void ask(const std::string& sql, const std::function<void(const Row&)>& take);

  // The rows of a statement all of whose columns are text or octets, one by one as they are asked
  // for. It has a connection of its own, so several are read side by side. The engine outlives it.
  class Rows {
   public:
    ~Rows();
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    // Null: there are no more. Valid until the next call. Throws SqlError.
    const Row* next();

   private:
    friend class Engine;
    struct State;
    explicit Rows(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  // Throws SqlError.
  std::unique_ptr<Rows> open(const std::string& sql);

  // Ends the statement that runs now, and those of which Rows are there; they throw SqlError. Later
  // ones run.
  void interrupt() noexcept;
  // How much of the statement that runs now is done, 0 to 1; nullopt: not known. Any thread.
  std::optional<double> progress() noexcept;

  // For what statements read from (file systems, functions): what it throws goes through DuckDB as
  // no more than a text, and is noted here as it is. Any thread.
  void note_failure(std::exception_ptr failure) noexcept;

  duckdb_connection connection() noexcept { return connection_; }

 private:
  class SpillFolder;
  std::uint64_t failures() noexcept;
  // Throws the last failure if it was noted after the first `before`.
  void rethrow_failure(std::uint64_t before);
  template <class Call>
  auto with_failures(std::uint64_t before, const Call& call);

  std::mutex noting_;
  std::uint64_t failures_ = 0;  // that were noted; both under `noting_`
  std::exception_ptr failure_;  // the last one
  const std::unique_ptr<SpillFolder> spill_;  // used until the database is closed
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  std::mutex reading_;
  std::set<duckdb_connection> readers_;  // of Rows; under `reading_`
};

}  // namespace segue::warehouse
