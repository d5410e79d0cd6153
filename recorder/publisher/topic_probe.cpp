#include "recorder/publisher/topic_probe.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace segue::recorder {
namespace {

constexpr std::string_view kLimit = "max.message.bytes";

struct DestroyEvent {
  void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }
};
struct DestroyOptions {
  void operator()(rd_kafka_AdminOptions_t* options) const noexcept {
    rd_kafka_AdminOptions_destroy(options);
  }
};

TopicAnswer limit_in(const rd_kafka_ConfigResource_t& topic) {
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** const entries = rd_kafka_ConfigResource_configs(&topic, &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (rd_kafka_ConfigEntry_name(entries[i]) != kLimit) continue;
    const char* const text = rd_kafka_ConfigEntry_value(entries[i]);
    const std::string_view value = text == nullptr ? std::string_view{} : text;
    TopicAnswer answer;
    const auto read =
        std::from_chars(value.data(), value.data() + value.size(), answer.max_message_bytes);
    if (read.ec == std::errc{}) answer.kind = TopicAnswer::Kind::known;
    return answer;
  }
  return {};
}

// Whether it means "ask again" and not "this cluster does not say".
bool no_broker(rd_kafka_resp_err_t error) noexcept {
  return error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
         error == RD_KAFKA_RESP_ERR__DESTROY || error == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
}

}  // namespace

TopicProbe::TopicProbe(rd_kafka_t& handle, std::vector<std::string> topics, Wake& wake)
    : handle_(handle), topics_(std::move(topics)), answers_(rd_kafka_queue_new(&handle)) {
  static constexpr std::uint64_t kOneRing = 1;
  rd_kafka_queue_io_event_enable(answers_.get(), wake.descriptor(), &kOneRing, sizeof kOneRing);
}

void TopicProbe::ask() {
  if (asked_) return;
  asked_ = true;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const std::string& topic : topics_)
    resources.push_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const std::unique_ptr<rd_kafka_AdminOptions_t, DestroyOptions> options(
      rd_kafka_AdminOptions_new(&handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  std::array<char, 128> why{};
  rd_kafka_AdminOptions_set_request_timeout(
      options.get(), static_cast<int>(std::chrono::milliseconds(kPatience).count()), why.data(),
      why.size());
  rd_kafka_DescribeConfigs(&handle_, resources.data(), resources.size(), options.get(),
                           answers_.get());
  rd_kafka_ConfigResource_destroy_array(resources.data(), resources.size());
}

std::optional<std::vector<TopicAnswer>> TopicProbe::answer() {
  const std::unique_ptr<rd_kafka_event_t, DestroyEvent> event(
      rd_kafka_queue_poll(answers_.get(), 0));
  if (!event) return std::nullopt;
  asked_ = false;
  if (no_broker(rd_kafka_event_error(event.get()))) {
    ask();
    return std::nullopt;
  }
  return read(*event);
}

std::vector<TopicAnswer> TopicProbe::read(const rd_kafka_event_t& event) const {
  std::vector<TopicAnswer> found(topics_.size());
  const rd_kafka_DescribeConfigs_result_t* const result =
      rd_kafka_event_DescribeConfigs_result(const_cast<rd_kafka_event_t*>(&event));
  if (result == nullptr || rd_kafka_event_error(const_cast<rd_kafka_event_t*>(&event)) != 0)
    return found;
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** const resources =
      rd_kafka_DescribeConfigs_result_resources(result, &count);
  // They come in the order they were asked for.
  for (std::size_t i = 0; i < count && i < found.size(); ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(resources[i]);
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
      found[i].kind = TopicAnswer::Kind::missing;
    else if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
      found[i] = limit_in(*resources[i]);
  }
  return found;
}

}  // namespace segue::recorder
