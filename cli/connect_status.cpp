#include "cli/connect_status.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "cli/exchange_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "exchange/error.hpp"
#include "exchange/remote_error.hpp"
#include "kafka/connect_answers.hpp"
#include "kafka/rest_client.hpp"

namespace segue::cli {
namespace {

using kafka::ConnectLook;
using kafka::Connector;
using Part = kafka::ConnectPart;

constexpr double kLongestTimeout = 600;  // seconds

// The body of a good answer.
std::string ask(kafka::RestClient& client, std::string_view path) {
  kafka::RestAnswer answer = client.get(path);
  if (answer.status == 0)
    throw RemoteError(fmt::format("connect {}: {}", client.url(), answer.failure));
  if (answer.good() && kafka::is_object(answer.body)) return std::move(answer.body);
  throw RemoteError(fmt::format("connect {}: {} {}: is this Kafka Connect's REST API?",
                                client.url(), answer.status,
                                printable(kafka::connect_message(answer.body))));
}

ConnectLook look_at(kafka::RestClient& client) {
  const std::string root = ask(client, "");
  const std::string connectors = ask(client, "connectors?expand=status&expand=info");
  return kafka::read_connect(root, connectors);
}

std::string painted_state(const Part& part, const Paint& paint) {
  const std::string text = fmt::format("{:<11}", printable(part.state));
  if (part.failed()) return paint.error(text);
  return part.state == "RUNNING" ? paint.good(text) : paint.strong(text);
}

enum class Trace : std::uint8_t { first_line, whole };

std::string trace_text(const Part& part, Trace trace) {
  if (part.trace.empty()) return {};
  if (trace == Trace::first_line)
    return fmt::format("      {}\n", printable(part.trace.substr(0, part.trace.find('\n'))));
  std::string text;
  for (std::size_t at = 0; at < part.trace.size();) {
    const std::size_t end = std::min(part.trace.find('\n', at), part.trace.size());
    text += fmt::format("      {}\n",
                        printable(std::string_view(part.trace).substr(at, end - at), Lines::keep));
    at = end + 1;
  }
  return text;
}

std::string as_text(const ConnectLook& look, const Paint& paint, Trace trace) {
  std::string text = fmt::format("Kafka Connect {}, {} connectors on {} workers: ",
                                 printable(look.version), look.connectors.size(),
                                 look.workers.size());
  std::string_view before;
  for (const std::string& worker : look.workers) {
    text += fmt::format("{}{}", before, printable(worker));
    before = ", ";
  }
  text += '\n';
  for (const Connector& connector : look.connectors) {
    text += fmt::format("{}  {} {}\n", paint.strong(printable(connector.name)),
                        printable(connector.type), printable(connector.klass));
    for (const Part& part : connector.parts) {
      const std::string which =
          part.task < 0 ? std::string("connector") : fmt::format("task {}", part.task);
      text += fmt::format("  {:<10} {} {}\n", which, painted_state(part, paint),
                          printable(part.worker));
      text += trace_text(part, trace);
    }
  }
  return text;
}

void write_part(JsonWriter& out, const Part& part) {
  out.begin_object();
  if (part.task >= 0) out.member("task", part.task);
  out.member("state", part.state);
  out.member("worker", part.worker);
  if (!part.trace.empty()) out.member("trace", part.trace);
  out.end_object();
}

std::string as_json(const ConnectLook& look) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("format_version", std::int64_t{1});
  out.member("version", look.version);
  out.member("kafka_cluster_id", look.cluster_id);
  out.key("workers");
  out.begin_array();
  for (const std::string& worker : look.workers) out.text(worker);
  out.end_array();
  out.key("connectors");
  out.begin_array();
  for (const Connector& connector : look.connectors) {
    out.begin_object();
    out.member("name", connector.name);
    out.member("type", connector.type);
    out.member("class", connector.klass);
    out.key("connector");
    write_part(out, connector.parts.front());
    out.key("tasks");
    out.begin_array();
    for (std::size_t i = 1; i < connector.parts.size(); ++i) write_part(out, connector.parts[i]);
    out.end_array();
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return text + '\n';
}

bool has_failed(const ConnectLook& look) {
  return std::ranges::any_of(look.connectors, [](const Connector& connector) {
    return std::ranges::any_of(connector.parts, &Part::failed);
  });
}

}  // namespace

ConnectStatusCommand::ConnectStatusCommand(CLI::App& connect)
    : command_(connect.add_subcommand("status", "Workers, connectors, tasks and why they failed")) {
  command_->add_option("URL,--url", url_, "Of a worker's REST API: http://connect:8083")
      ->envname("SEGUE_CONNECT_URL");
  command_->add_option("--ca", ca_, "PEM of who signed its certificate")->type_name("FILE");
  CLI::Option* const user = command_->add_option("--user", user_, "For basic authentication");
  command_->add_option("--password-file", password_file_, "Its first line is the password")
      ->type_name("FILE")
      ->needs(user);
  command_->add_option("--timeout", timeout_seconds_, "How long to wait for an answer, in seconds")
      ->check(CLI::Range(0.1, kLongestTimeout))
      ->capture_default_str();
  command_->add_flag("--trace", trace_, "Whole traces, not their first lines");
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool ConnectStatusCommand::chosen() const { return command_->parsed(); }

int ConnectStatusCommand::run() {
  if (url_.empty())
    throw StartupError("where is Kafka Connect? Give the address of a worker, http://HOST:8083, or "
                       "set SEGUE_CONNECT_URL");
  kafka::RestSettings settings;
  settings.url = url_;
  settings.ca = ca_;
  settings.username = user_;
  settings.password_file = password_file_;
  settings.ca_named_by = "--ca";
  settings.password_named_by = "--password-file";
  settings.total_timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(timeout_seconds_ * 1000));
  settings.connect_timeout = std::min(settings.connect_timeout, settings.total_timeout);
  kafka::RestClient client(settings);
  const ConnectLook look = look_at(client);
  if (form_ == OutputForm::json)
    fmt::print("{}", as_json(look));
  else
    fmt::print("{}", as_text(look, Paint(colour_, stdout),
                             trace_ ? Trace::whole : Trace::first_line));
  return has_failed(look) ? kFound : kClean;
}

}  // namespace segue::cli
