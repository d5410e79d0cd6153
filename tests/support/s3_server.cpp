#include "tests/support/s3_server.hpp"

#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <thread>
#include <vector>

#include "tests/support/raw_client.hpp"
#include "tests/support/stack_script.hpp"

namespace segue::test {
namespace {

std::uint16_t port_of(const std::string& url) {
  std::uint16_t port = 0;
  const auto digits = url.rfind(':') + 1;
  std::from_chars(url.data() + digits, url.data() + url.size(), port);
  return port;
}

std::string ask(const std::string& url, std::string_view method, const std::string& target) {
  const std::uint16_t port = port_of(url);
  RawClient client(port);
  client.send(
      fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\n"
                  "Authorization: AWS anybody:anything\r\n"
                  "Connection: close\r\n\r\n",
                  method, target, port));
  const auto answer = client.response(method);
  if (answer.status() >= 300) {
    throw TestFailure(fmt::format("{} {}: {}", method, target, answer.start_line));
  }
  return answer.body;
}

// The content of every <Key>; the keys of these tests hold nothing that XML escapes.
std::vector<std::string> keys_of(std::string_view listing) {
  constexpr std::string_view kStart = "<Key>";
  std::vector<std::string> keys;
  for (auto at = listing.find(kStart); at != std::string_view::npos;
       at = listing.find(kStart, at)) {
    at += kStart.size();
    keys.emplace_back(listing.substr(at, listing.find('<', at) - at));
  }
  return keys;
}

}  // namespace

S3Server::S3Server() : work_(folder_ / "s3") {
  std::vector<std::string> arguments{"start", work_.string()};
  for (auto& argument : owned_by_this_process()) arguments.push_back(std::move(argument));
  url_ = run_stack_script("s3.sh", arguments);
}

S3Server::~S3Server() {
  try {
    run_stack_script("s3.sh", {"destroy", work_.string()});
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
}

std::uint16_t S3Server::port() const { return port_of(url_); }

void S3Server::make_bucket(const std::string& bucket) const {
  ask(url_, "PUT", "/" + bucket);
}

std::map<std::string, std::string> S3Server::objects(const std::string& bucket) const {
  std::map<std::string, std::string> found;
  for (const auto& key : keys_of(ask(url_, "GET", fmt::format("/{}?list-type=2", bucket)))) {
    found[key] = ask(url_, "GET", fmt::format("/{}/{}", bucket, key));
  }
  return found;
}

std::map<std::string, std::string> S3Server::wait_for(const std::string& bucket, std::size_t count,
                                                      const Deadline& deadline) const {
  for (;;) {
    const auto listing = ask(url_, "GET", fmt::format("/{}?list-type=2", bucket));
    const auto there = keys_of(listing).size();
    if (there >= count) return objects(bucket);
    if (deadline.left() == 0) throw TestFailure(fmt::format("{} of {} objects", there, count));
    std::this_thread::yield();  // each look is a request: not a busy loop
  }
}

}  // namespace segue::test
