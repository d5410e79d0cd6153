#include "cli/serve.hpp"

#include <fmt/format.h>

#include <atomic>
#include <iterator>
#include <optional>

#include "cli/archiver_process.hpp"
#include "cli/configuration.hpp"
#include "cli/exit_code.hpp"
#include "cli/publisher_state.hpp"
#include "cli/serve_metrics.hpp"
#include "cli/serve_parts.hpp"
#include "cli/serving_end.hpp"
#include "cli/signals.hpp"
#include "cli/supervisor.hpp"
#include "gateway/gateway.hpp"
#include "gateway/listening/descriptor_room.hpp"
#include "gateway/listening/handover.hpp"
#include "gateway/listening/listening_sockets.hpp"
#include "gateway/probe.hpp"

namespace segue::cli {
namespace {

using gateway::HandoverServer;
using gateway::InheritedSocket;
using gateway::ListeningSockets;
using gateway::Predecessor;

constexpr std::chrono::milliseconds kNoticesLook{1'000};
constexpr const char* kArchiverMetrics = "archiver.prom";  // in the run's folder, and gone with it
// How long the end waits for Kafka; what is not published by then stays in the journal.
constexpr std::chrono::milliseconds kPublishAtEnd{5'000};

void say(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print(stderr, "segue: {}\n", line);
}

void say_start(const ListeningSockets& sockets, const recorder::Journal& journal) {
  for (const ListeningSockets::Set& set : sockets.all())
    fmt::print(stderr, "listening {} {}\n", set.settings->name, set.address.text());
  for (const recorder::Damage& damage : journal.found_at_start())
    fmt::print(stderr, "segue: journal: {}: {} at byte {}\n", damage.segment.string(), damage.what,
               damage.offset);
}

// With --take-over: the process that serves with this journal, whose sockets are added.
std::optional<Predecessor> take_over(const std::filesystem::path& journal,
                                     std::vector<InheritedSocket>& inherited) {
  auto predecessor = Predecessor::find(journal);
  if (!predecessor) {
    fmt::print(stderr, "segue: there is no process to take over from in {}: starting as usual\n",
               journal.string());
    return std::nullopt;
  }
  std::ranges::move(predecessor->take_sockets(), std::back_inserter(inherited));
  return predecessor;
}

enum class Relief : std::uint8_t { taken_over, refused };

// Clients are served by both processes; by this one alone when it has taken over. A signal that has
// come to this one by now ends it alone: whoever says that it is ready has to go on.
Relief relieve(Predecessor& predecessor, ListeningSockets& sockets, const Signals& signals) {
  const pid_t process = predecessor.process();
  if (signals.end_within(std::chrono::milliseconds(0))) {
    fmt::print(stderr, "segue: told to end before it took over; process {} serves on\n", process);
    return Relief::refused;
  }
  const Predecessor::Relief relief = predecessor.say_ready();
  if (!relief.why.empty()) say({relief.why});
  if (relief.refused) return Relief::refused;
  say(sockets.take_over());
  fmt::print(stderr, "took over from process {}\n", process);
  return Relief::taken_over;
}

enum class Ending : std::uint8_t { signal, taken_over };

// Until a signal to end comes, or another process has taken over.
Ending look_after(gateway::Gateway& gateway, const HandoverServer& handover,
                  const Signals& signals, ArchiverProcess* archiver) {
  using When = gateway::Credentials::When;
  runtime::MonotonicNs look_again = 0;
  for (;;) {
    const Signals::Came came = signals.wait_for(kNoticesLook, handover.event());
    say(gateway.take_notices());
    if (archiver != nullptr) archiver->look_after();
    if (came == Signals::Came::end) return Ending::signal;
    if (came == Signals::Came::event) return Ending::taken_over;
    const runtime::MonotonicNs now = runtime::monotonic_now();
    const bool asked = came == Signals::Came::reload;
    if (!asked && now < look_again) continue;
    look_again = runtime::after(now, gateway::kCredentialsLook);
    say(gateway.renew_credentials(asked ? When::always : When::changed));
  }
}

}  // namespace

ServeCommand::ServeCommand(CLI::App& program)
    : command_(program.add_subcommand("serve", "run the gateway")) {
  add_configuration_option(*command_, configuration_);
  command_->add_flag("--take-over", take_over_,
                     "take the listening sockets from the process that runs with the same journal, "
                     "which then finishes what it has begun and ends");
  command_->add_flag("--archive", archive_,
                     "archive what is recorded, as `archive` of the configuration says, by a "
                     "seguectl that runs beside");
}

int ServeCommand::run() {
  gateway::raise_descriptor_limit();
  const Supervisor supervisor;
  std::vector<InheritedSocket> inherited = gateway::sockets_of_service_manager();
  const Signals signals;
  const config::LoadResult loaded = require_configuration(configuration_, Colour::automatic);
  std::optional<ArchiverProcess> archiver;
  if (archive_) archiver.emplace(configuration_, *loaded.settings);
  const int code =
      serve(loaded, std::move(inherited), {supervisor, signals, archiver ? &*archiver : nullptr});
  if (archiver) archiver->finish(signals);
  return code;
}

int ServeCommand::serve(const config::LoadResult& loaded, std::vector<InheritedSocket> inherited,
                        const Surroundings& around) const {
  const Signals& signals = around.signals;
  const config::Settings& settings = *loaded.settings;
  const unsigned cores = settings.cores != 0 ? settings.cores : runtime::usable_cpus();

  recorder::Journal journal(journal_settings(settings, around.archiver != nullptr ? Archiving::on
                                                                                  : Archiving::off),
                            cores, largest_payload(settings));
  if (around.archiver != nullptr)
    around.archiver->keep_metrics_in(journal.run() / kArchiverMetrics);
  const auto publisher = make_publisher(settings, journal);
  const auto comparison = make_comparison(settings, journal);
  std::optional<Predecessor> predecessor;
  if (take_over_) predecessor = take_over(settings.journal.directory, inherited);
  ListeningSockets sockets(settings.listeners, cores, std::move(inherited));
  gateway::Gateway gateway(gateway_settings(settings),
                           core_parts(settings, cores, journal, publisher.get()), sockets);
  std::atomic<bool> ready{false};
  gateway::ProbeAnswers answers;
  answers.readiness = [&] {
    const bool now = ready.load();
    return gateway::ProbeAnswers::Readiness{now, readiness_text(now, publisher.get())};
  };
  answers.metrics = [&] {
    return serve_metrics(gateway, journal, publisher.get(), comparison.get(), around.archiver,
                         loaded.table->version());
  };
  gateway::ProbeListener probe(sockets, std::move(answers));

  gateway.start(settings.pin_cores ? gateway::Gateway::Pinning::on
                                   : gateway::Gateway::Pinning::off);
  if (publisher) publisher->start();
  if (comparison) comparison->start();
  ready = true;
  if (predecessor && relieve(*predecessor, sockets, signals) == Relief::refused) {
    ServingEnd({gateway, probe, sockets, nullptr, signals}).give_up();
    return kFailed;
  }
  if (predecessor) gateway.look_again();
  HandoverServer handover(settings.journal.directory, sockets);
  if (!handover.trouble().empty()) say({handover.trouble()});
  say_start(sockets, journal);
  say(gateway.warnings());
  if (around.archiver != nullptr) around.archiver->start();
  around.supervisor.say_ready();
  fmt::print(stderr, "ready\n");

  ServingEnd end({gateway, probe, sockets, &handover, signals});
  if (look_after(gateway, handover, signals, around.archiver) == Ending::taken_over) {
    if (around.archiver != nullptr) around.archiver->dismiss();
    end.leave();
  } else {
    ready = false;
    around.supervisor.say_stopping();
    end.drain();
  }
  if (publisher) publisher->finish(kPublishAtEnd);
  end.close();
  return kClean;
}

}  // namespace segue::cli
