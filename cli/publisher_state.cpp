#include "cli/publisher_state.hpp"

#include "cli/json_writer.hpp"

namespace segue::cli {

std::string_view name_of(recorder::PublisherStatus::State state) noexcept {
  using State = recorder::PublisherStatus::State;
  switch (state) {
    case State::connecting:
      return "connecting";
    case State::publishing:
      return "publishing";
    case State::waiting:
      return "waiting";
    case State::halted:
      break;
  }
  return "halted";
}

std::string readiness_text(bool ready, const recorder::Publisher* publisher) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("ready");
  json.boolean(ready);
  if (publisher != nullptr) {
    const recorder::PublisherStatus status = publisher->status();
    json.key("kafka");
    json.begin_object();
    json.member("state", name_of(status.state));
    json.member("reason", status.reason);
    json.member("lag_records", status.lag.records);
    json.end_object();
  }
  json.end_object();
  text += '\n';
  return text;
}

}  // namespace segue::cli
