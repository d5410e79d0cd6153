#include "warehouse/upkeep/tenure.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <exception>
#include <filesystem>
#include <fstream>
#include <utility>

#include "runtime/clock.hpp"
namespace segue::warehouse {
namespace {

namespace json = boost::json;
using std::chrono::microseconds;

// Confirmed at most so often, for each time is a write.
constexpr std::chrono::seconds kBetween{30};

std::string key_of(std::uint64_t number) {
  return fmt::format("{}{:020}.json", tenure_folder(), number);
}

// The field behind the name of /proc/PID/stat that says when a process began; empty: it is gone.
std::string start_of_process(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  constexpr int kStartField = 20;  // counted from what stands behind the name in brackets
  std::size_t at = line.rfind(')');
  for (int i = 0; i < kStartField && at != std::string::npos; ++i) at = line.find(' ', at + 1);
  if (at == std::string::npos) return {};
  return line.substr(at + 1, line.find(' ', at + 1) - at - 1);
}

// Machine, boot and namespace within which a process's number means something.
std::string machine() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  std::error_code unknown;
  return fmt::format("{} {} {}", host.data(), boot,
                     std::filesystem::read_symlink("/proc/self/ns/pid", unknown).string());
}

std::uint64_t last_number(ObjectStore& store) {
  std::uint64_t last = 0;
  store.list(tenure_folder(), "", [&](const StoredObject& object) {
    const std::string_view name = std::string_view(object.key).substr(tenure_folder().size());
    std::from_chars(name.data(), name.data() + name.size(), last);
  });
  return last;
}

std::string member(const json::object& book, const char* name) {
  const json::value* const found = book.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string{};
}

// Who holds a term: nullopt when nobody does any more.
std::optional<std::string> holder(ObjectStore& store, std::uint64_t number) {
  if (number == 0) return std::nullopt;
  const auto text = store.read(key_of(number));
  if (!text) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object())
    throw StorageError(fmt::format("{}: {} is damaged; remove it when no `seguectl compact`, "
                                   "`retention` or `forget` runs",
                                   store.name(), key_of(number)));
  const json::object& book = value.get_object();
  if (member(book, "state") != "held") return std::nullopt;
  const std::string process = member(book, "process");
  if (member(book, "machine") == machine()) {
    // One statement over a large file may take longer than a term; that it lives is known here.
    if (start_of_process(process) != member(book, "process_start")) return std::nullopt;
  } else {
    const json::value* const at = book.if_contains("confirmed_at");
    const std::int64_t confirmed = at != nullptr && at->is_int64() ? at->get_int64() : 0;
    if (microseconds(runtime::unix_micros_now() - confirmed) > Tenure::kExpiry) return std::nullopt;
  }
  const std::string where = member(book, "machine");
  return fmt::format("`seguectl {}` (process {} on {})", member(book, "doing"), process,
                     where.substr(0, where.find(' ')));
}

}  // namespace

std::optional<std::string> term_holder(ObjectStore& store) {
  return holder(store, last_number(store));
}

std::string tenure_folder() { return "_upkeep/"; }

Tenure::Tenure(ObjectStore& store, std::string doing) : store_(store), doing_(std::move(doing)) {
  const std::uint64_t last = last_number(store_);
  const auto other = holder(store_, last);
  if (other)
    throw StorageError(fmt::format("{}: {} is at work here; wait for its end", store_.name(),
                                   *other));
  number_ = last + 1;
  if (store_.create(key_of(number_), book(State::held)) == Creation::existed)
    throw StorageError(fmt::format("{}: another upkeep has just begun here; wait for its end",
                                   store_.name()));
  confirmed_ = std::chrono::steady_clock::now();
  store_.list(tenure_folder(), "", [&](const StoredObject& object) {
    if (object.key < key_of(number_)) store_.remove(object.key);
  });
}

Tenure::~Tenure() {
  try {
    if (last_number(store_) == number_) store_.replace(key_of(number_), book(State::given_back));
  } catch (const std::exception&) {
    return;  // the store is gone; the term ends by itself
  }
}

std::string Tenure::book(State state) const {
  const std::string process = std::to_string(::getpid());
  return json::serialize(json::object{{"format_version", 1},
                                      {"doing", doing_},
                                      {"state", state == State::held ? "held" : "given back"},
                                      {"machine", machine()},
                                      {"process", process},
                                      {"process_start", start_of_process(process)},
                                      {"confirmed_at", runtime::unix_micros_now()}});
}

void Tenure::confirm() {
  if (last_number(store_) != number_)
    throw StorageError(fmt::format("{}: another upkeep took over, for this one stood still for "
                                   "more than {} minutes; start it again",
                                   store_.name(), kExpiry.count()));
  const auto now = std::chrono::steady_clock::now();
  if (now - confirmed_ < kBetween) return;
  store_.replace(key_of(number_), book(State::held));
  confirmed_ = now;
}

}  // namespace segue::warehouse
