#include "tests/support/http_message.hpp"

#include <algorithm>
#include <charconv>

namespace segue::test {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return result;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

Message parse_head(std::string raw) {
  Message message;
  std::string_view rest = raw;
  const auto line = [&rest] {
    const auto end = rest.find("\r\n");
    const auto text = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    return text;
  };
  message.start_line = line();
  for (auto text = line(); !text.empty(); text = line()) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) continue;
    message.fields.emplace_back(lower(text.substr(0, colon)), trim(text.substr(colon + 1)));
  }
  message.raw_head = std::move(raw);
  message.chunked = lower(message.field("transfer-encoding").value_or("")) == "chunked";
  return message;
}

std::string word(const std::string& line, int index) {
  std::size_t start = 0;
  for (; index > 0; --index) start = line.find(' ', start) + 1;
  return line.substr(start, line.find(' ', start) - start);
}

}  // namespace

std::optional<std::string> Message::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, [](const auto& f) { return f.first; });
  if (found == fields.end()) return std::nullopt;
  return found->second;
}

std::size_t Message::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count(fields, name, [](const auto& f) { return f.first; }));
}

int Message::status() const {
  return static_cast<int>(number(word(start_line, 1), 10).value_or(0));
}
std::string Message::method() const {
  return word(start_line, 0);
}
std::string Message::target() const {
  return word(start_line, 1);
}

std::optional<Message> MessageReader::head(const Deadline& deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(deadline)) return std::nullopt;
  }
  auto raw = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return parse_head(std::move(raw));
}

bool MessageReader::take(std::size_t bytes, std::string& out, const Deadline& deadline) {
  while (buffer_.size() < bytes) {
    if (!fill(deadline)) return false;
  }
  out.append(buffer_, 0, bytes);
  buffer_.erase(0, bytes);
  return true;
}

bool MessageReader::take_line(std::string& line, const Deadline& deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill(deadline)) return false;
  }
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return true;
}

void MessageReader::chunked_body(Message& message, const Deadline& deadline) {
  for (std::string line; take_line(line, deadline);) {
    const auto size = number(line, 16);
    if (!size) throw TestFailure("not a chunk size: " + line);
    if (*size == 0) break;
    if (!take(*size, message.body, deadline) || !take_line(line, deadline)) return;
  }
  for (std::string line; take_line(line, deadline);) {
    if (line.empty()) {
      message.whole = true;
      return;
    }
    message.fields.emplace_back("trailer-line", line);
  }
}

void MessageReader::body(Message& message, const Deadline& deadline) {
  if (message.chunked) return chunked_body(message, deadline);
  const auto length = number(message.field("content-length").value_or("0"), 10).value_or(0);
  message.whole = take(length, message.body, deadline);
  if (!message.whole) {
    message.body += buffer_;
    buffer_.clear();
  }
}

std::optional<Message> MessageReader::request(const Deadline& deadline) {
  auto message = head(deadline);
  if (message) body(*message, deadline);
  return message;
}

std::optional<Message> MessageReader::response(std::string_view request_method,
                                               const Deadline& deadline) {
  auto message = head(deadline);
  if (!message) return message;
  const int status = message->status();
  if (request_method == "HEAD" || status < 200 || status == 204 || status == 304) {
    message->whole = true;
  } else if (message->chunked || message->field("content-length")) {
    body(*message, deadline);
  } else {
    message->whole = wait_for_end(deadline) == Received::end;
    message->body = std::exchange(buffer_, {});
  }
  return message;
}

std::string MessageReader::some(std::size_t bytes, const Deadline& deadline) {
  while (buffer_.size() < bytes && fill(deadline)) {
  }
  return std::exchange(buffer_, {});
}

Received MessageReader::wait_for_end(const Deadline& deadline) {
  for (;;) {
    const auto received = socket_->receive(buffer_, deadline);
    if (received != Received::bytes) return received;
  }
}

}  // namespace segue::test
