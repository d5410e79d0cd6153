#include "tests/support/faulty_link.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/raw_client.hpp"

namespace segue::test {
namespace {

std::string complaint(int status, std::string_view code) {
  return response_with(
      status,
      fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>planned</Message></Error>",
                  code),
      "Content-Type: application/xml\r\n");
}

std::string head_without(const Message& message, std::string_view name) {
  std::string head = message.start_line + "\r\n";
  for (const auto& [field, value] : message.fields)
    if (field != name) head += fmt::format("{}: {}\r\n", field, value);
  return head + "\r\n";
}

std::string ask_server(std::uint16_t port, Message request, std::optional<Fault> fault) {
  RawClient client(port);
  if (fault == Fault::unconditional)
    std::erase_if(request.fields, [](const auto& field) { return field.first == "if-none-match"; });
  client.send(head_without(request, "expect") + request.body);
  Message answer = client.response(request.method());
  if (!answer.chunked) return answer.raw_head + answer.body;
  answer.fields.emplace_back("content-length", std::to_string(answer.body.size()));
  return head_without(answer, "transfer-encoding") + answer.body;
}

// The head and half of the body; half of the head, when that is all.
std::size_t half_of(const std::string& answer) {
  const std::size_t head = answer.find("\r\n\r\n") + 4;
  return head == answer.size() ? head / 2 : (head + answer.size()) / 2;
}

}  // namespace

FaultyLink::FaultyLink(std::uint16_t to)
    : to_(to), way_([this](BackendConnection& connection) { serve(connection); }) {}

std::string FaultyLink::url() const { return fmt::format("http://127.0.0.1:{}", port()); }

void FaultyLink::plan(std::string_view method, std::string_view part, Fault fault,
                      unsigned times) {
  const std::lock_guard lock(mutex_);
  plans_.push_back({std::string(method), std::string(part), fault, times});
}

std::size_t FaultyLink::unmet() const {
  const std::lock_guard lock(mutex_);
  return plans_.size();
}

void FaultyLink::wait_until_met(const Deadline& deadline) {
  std::unique_lock lock(mutex_);
  if (!met_.wait_until(lock, deadline.at(), [this] { return plans_.empty(); }))
    throw TestFailure(fmt::format("{} plans were not met", plans_.size()));
}

std::size_t FaultyLink::count(std::string_view begin) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      way_.requests(), [begin](const Message& m) { return m.start_line.starts_with(begin); }));
}

std::optional<Fault> FaultyLink::fault_of(const Message& request) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(plans_, [&](const Plan& plan) {
    return plan.method == request.method() &&
           request.target().find(plan.part) != std::string::npos;
  });
  if (found == plans_.end()) return std::nullopt;
  const Fault fault = found->fault;
  if (--found->times == 0) plans_.erase(found);
  met_.notify_all();
  return fault;
}

void FaultyLink::serve(BackendConnection& connection) {
  while (auto request = connection.request_head()) {
    if (request->field("expect")) connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    connection.reader().body(*request);
    const auto fault = fault_of(*request);
    if (fault == Fault::reset_before) return connection.reset();
    if (fault == Fault::stalled) {
      connection.reader().wait_for_end();
      return;
    }
    std::string answer;
    if (fault == Fault::slow_down)
      answer = complaint(503, "SlowDown");
    else if (fault == Fault::server_error)
      answer = complaint(500, "InternalError");
    else
      answer = ask_server(to_, *request, fault);
    if (fault == Fault::reset_after) return connection.reset();
    const bool half = fault == Fault::truncated || fault == Fault::reset_midway;
    if (half) answer.resize(half_of(answer));
    connection.send(answer);
    if (fault == Fault::reset_midway) return connection.reset();
    if (half) return;
  }
}

}  // namespace segue::test
