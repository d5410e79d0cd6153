#include "cli/topics_records.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <deque>

#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/filters.hpp"
#include "cli/progress.hpp"
#include "cli/record_text.hpp"
#include "cli/whole_number.hpp"
#include "exchange/error.hpp"
#include "runtime/clock.hpp"

namespace segue::cli {
namespace {

void add_time_option(CLI::App& command, const char* name, std::optional<std::int64_t>& into,
                     const char* about) {
  const std::int64_t now = runtime::unix_micros_now();
  command
      .add_option_function<std::string>(
          name, [&into, now](const std::string& text) { into = parse_time(text, now); }, about)
      ->check(CLI::Validator(
          [](const std::string& text) {
            return parse_time(text, 0) ? std::string{}
                                       : "write a time as 24h, 2026-11-21 or "
                                         "2026-11-21T09:00:00Z, not " +
                                             text;
          },
          "TIME"));
}

std::string topic_or_configured(const std::string& topic, const kafka::Settings& settings) {
  return topic.empty() ? settings.topic : topic;
}

void write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    throw StartupError("cannot write to standard output");
}

}  // namespace

TopicsPeekCommand::TopicsPeekCommand(CLI::App& topics)
    : command_(topics.add_subcommand("peek", "Records as they are, decoded where they are "
                                             "exchanges")) {
  command_->add_option("TOPIC", topic_, "Default: the configuration's");
  command_->add_option("--partition", partitions_, "Only this one; may be given again")
      ->allow_extra_args(false)
      ->check(whole_number(0));
  CLI::Option* const offset =
      command_->add_option("--offset", offset_, "From this offset on")->check(whole_number(0));
  add_time_option(*command_, "--time", time_, "From this time on: 24h, 2026-11-21T09:00:00Z");
  offset->excludes(command_->get_option("--time"));
  command_->add_option("--key", search_.key, "Only with this key");
  command_->add_option("-n,--lines", lines_, "How many records")
      ->check(whole_number(1))
      ->capture_default_str();
  kafka_.add_with_brokers_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool TopicsPeekCommand::chosen() const { return command_->parsed(); }

kafka::TopicReadOptions TopicsPeekCommand::options() const {
  using Kind = kafka::StartPosition::Kind;
  kafka::TopicReadOptions options;
  options.partitions = partitions_;
  if (offset_)
    options.start = {Kind::offset, *offset_};
  else if (time_)
    options.start = {Kind::time, *time_ / 1000};
  else if (!search_.key)
    options.start = {Kind::last, static_cast<std::int64_t>(lines_)};
  return options;
}

int TopicsPeekCommand::print_first(kafka::TopicReader& reader, const std::string& topic) {
  const Paint paint(colour_, stdout);
  Progress progress(fmt::format("reading {}", topic));
  std::uint64_t printed = 0;
  while (const kafka::TopicRecord* const record = reader.next()) {
    progress.at(reader.passed(), reader.expected());
    if (!search_.matches(*record)) continue;
    progress.wipe();
    write_out(rendered_record(topic, *record, form_, paint));
    if (++printed == lines_) break;
  }
  return kClean;
}

int TopicsPeekCommand::print_last(kafka::TopicReader& reader, const std::string& topic) {
  const Paint paint(colour_, stdout);
  Progress progress(fmt::format("reading {}", topic));
  std::deque<std::string> last;
  while (const kafka::TopicRecord* const record = reader.next()) {
    progress.at(reader.passed(), reader.expected());
    if (!search_.matches(*record)) continue;
    last.push_back(rendered_record(topic, *record, form_, paint));
    if (last.size() > lines_) last.pop_front();
  }
  progress.wipe();
  for (const std::string& text : last) write_out(text);
  return kClean;
}

int TopicsPeekCommand::run() {
  const kafka::Settings settings = kafka_.settings();
  const std::string topic = topic_or_configured(topic_, settings);
  kafka::Cluster cluster(settings, kafka_.timeout());
  kafka::TopicReader reader(cluster, topic, options());
  return offset_ || time_ ? print_first(reader, topic) : print_last(reader, topic);
}

TopicsSearchCommand::TopicsSearchCommand(CLI::App& topics)
    : command_(topics.add_subcommand("search", "Records that hold something")) {
  command_->add_option("TOPIC", topic_, "Default: the configuration's");
  command_->add_option("--value", search_.value,
                       "Text in the value: of an exchange in target, headers, bodies, account");
  command_->add_option("--key", search_.key, "The whole key; its buckets when it is a hot one");
  command_->add_option("--header", headers_, "NAME=VALUE of a record header; may be given again")
      ->allow_extra_args(false)
      ->check(CLI::Validator(
          [](const std::string& text) {
            const std::size_t equals = text.find('=');
            return equals == 0 || equals == std::string::npos ? "write NAME=VALUE, not " + text
                                                              : std::string{};
          },
          "NAME=VALUE"));
  add_time_option(*command_, "--since", since_, "24h, 7d, 2026-11-21 or 2026-11-21T09:00:00Z");
  add_time_option(*command_, "--until", until_, "The same; only what came before it");
  command_->add_option("--limit", limit_, "Stop after so many")->check(whole_number(1));
  kafka_.add_with_brokers_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool TopicsSearchCommand::chosen() const { return command_->parsed(); }

int TopicsSearchCommand::run() {
  for (const std::string& header : headers_) {
    const std::size_t equals = header.find('=');
    search_.headers.emplace_back(header.substr(0, equals), header.substr(equals + 1));
  }
  if (!search_.value && !search_.key && search_.headers.empty())
    throw StartupError("nothing to search for: give --value, --key or --header");
  if (until_) search_.until_millis = (*until_ + 999) / 1000;
  const kafka::Settings settings = kafka_.settings();
  const std::string topic = topic_or_configured(topic_, settings);
  kafka::Cluster cluster(settings, kafka_.timeout());
  kafka::TopicReadOptions options;
  if (since_) options.start = {kafka::StartPosition::Kind::time, *since_ / 1000};
  kafka::TopicReader reader(cluster, topic, options);
  Progress progress(fmt::format("searching {}", topic));
  const Paint paint(colour_, stdout);
  std::uint64_t found = 0;
  std::uint64_t looked = 0;
  while (const kafka::TopicRecord* const record = reader.next()) {
    ++looked;
    progress.at(reader.passed(), reader.expected());
    if (!search_.matches(*record)) continue;
    progress.wipe();
    write_out(rendered_record(topic, *record, form_, paint));
    if (++found == limit_) break;
  }
  progress.wipe();
  fmt::print(stderr, "seguectl: {} of {} records\n", grouped(found), grouped(looked));
  return found == 0 ? kFound : kClean;
}

}  // namespace segue::cli
