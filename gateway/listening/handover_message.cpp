#include "gateway/listening/handover_message.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace segue::gateway {
namespace {

namespace json = boost::json;
using Say = HandoverMessage::Say;

constexpr std::string_view kVersionKey = "segue_handover";
constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMaxText = 512;  // bytes of a name or a reason

constexpr std::array<std::pair<Say, std::string_view>, 6> kWords{{{Say::ask, "ask"},
                                                                  {Say::sockets, "sockets"},
                                                                  {Say::all, "all"},
                                                                  {Say::ready, "ready"},
                                                                  {Say::left, "left"},
                                                                  {Say::refuse, "refuse"}}};

constexpr std::string_view kManagerKey = "from_service_manager";

// How many keys a message has beside its version and its word.
std::size_t keys_of(const HandoverMessage& message) {
  if (message.say == Say::sockets) return message.from_service_manager ? 4 : 3;
  return message.say == Say::refuse ? 1 : 0;
}

std::optional<Say> word_in(const json::object& object) {
  const json::value* const word = object.if_contains("say");
  if (word == nullptr || !word->is_string()) return std::nullopt;
  const auto found = std::ranges::find(kWords, std::string_view(word->get_string()),
                                       [](const auto& entry) { return entry.second; });
  return found == kWords.end() ? std::nullopt : std::optional(found->first);
}

bool read_text(const json::object& object, std::string_view key, std::string& into) {
  const json::value* const text = object.if_contains(key);
  if (text == nullptr || !text->is_string() || text->get_string().size() > kMaxText) return false;
  into = std::string(text->get_string());
  return true;
}

bool read_sockets(const json::object& object, HandoverMessage& message) {
  const json::value* const count = object.if_contains("count");
  const json::value* const file = object.if_contains("with_file");
  if (count == nullptr || !count->is_int64() || count->get_int64() < 1 ||
      count->get_int64() > kMaxPassedSockets || file == nullptr || !file->is_bool())
    return false;
  message.count = static_cast<std::uint32_t>(count->get_int64());
  message.with_file = file->get_bool();
  const json::value* const manager = object.if_contains(kManagerKey);
  message.from_service_manager = manager != nullptr && manager->is_bool() && manager->get_bool();
  return read_text(object, "listener", message.listener);
}

}  // namespace

std::string write_message(const HandoverMessage& message) {
  json::object object{{kVersionKey, kVersion}};
  object["say"] = std::ranges::find(kWords, message.say, [](const auto& entry) {
                    return entry.first;
                  })->second;
  if (message.say == Say::sockets) {
    object["listener"] = message.listener;
    object["count"] = message.count;
    object["with_file"] = message.with_file;
    if (message.from_service_manager) object[kManagerKey] = true;
  }
  if (message.say == Say::refuse) object["text"] = message.text.substr(0, kMaxText);
  return json::serialize(object);
}

std::optional<HandoverMessage> read_message(std::string_view packet) {
  if (packet.size() > kMaxHandoverPacket) return std::nullopt;
  boost::system::error_code ec;
  const json::value value = json::parse(packet, ec);
  if (ec || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  const json::value* const version = object.if_contains(kVersionKey);
  if (version == nullptr || !version->is_int64() || version->get_int64() != kVersion)
    return std::nullopt;
  const auto say = word_in(object);
  if (!say) return std::nullopt;
  HandoverMessage message;
  message.say = *say;
  if (*say == Say::sockets && !read_sockets(object, message)) return std::nullopt;
  if (*say == Say::refuse && !read_text(object, "text", message.text)) return std::nullopt;
  return object.size() == 2 + keys_of(message) ? std::optional(std::move(message)) : std::nullopt;
}

}  // namespace segue::gateway
