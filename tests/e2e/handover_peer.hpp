#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/descriptor.hpp"

// Either side of a hand-over, as bytes: docs/restart.md has the words.
namespace segue::test {

struct HandoverPacketSeen {
  std::string text;
  std::vector<Descriptor> descriptors;
};

// Who asks a gateway for its sockets.
class HandoverPeer {
 public:
  explicit HandoverPeer(const std::filesystem::path& socket);
  explicit HandoverPeer(Descriptor socket) : socket_(std::move(socket)) {}
  // What does not arrive is not the test's failure: the other side may have ended.
  void send(std::string_view text, const std::vector<int>& descriptors = {});
  // None: the other side has ended.
  std::optional<HandoverPacketSeen> receive();

 private:
  Descriptor socket_;
};

// Who is asked for sockets, once.
class HandoverGiver {
 public:
  struct Given {
    std::string listener;
    int descriptor;
  };
  enum class End { left, gone };

  explicit HandoverGiver(const std::filesystem::path& socket);
  // Gives one socket once it is asked and `asked` has been called, waits for the other side to be
  // ready, and says that it has left, or nothing. False: the other side has ended instead.
  bool give(const Given& given, End end, const std::function<void()>& asked = [] {});
  void refuse(std::string_view why);
  void end_when_asked();

 private:
  HandoverPeer accept();

  Descriptor listener_;
};

}  // namespace segue::test
