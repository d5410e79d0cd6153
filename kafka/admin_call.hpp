#pragma once

#include <memory>
#include <string_view>

#include "kafka/cluster.hpp"

namespace segue::kafka {

struct EndEvent {
  void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }
};
using Event = std::unique_ptr<rd_kafka_event_t, EndEvent>;

struct EndAdminOptions {
  void operator()(rd_kafka_AdminOptions_t* options) const noexcept {
    rd_kafka_AdminOptions_destroy(options);
  }
};
struct EndQueue {
  void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }
};

// Makes one call of librdkafka's admin API and waits for what it answers: `call` is given the
// client, the options and the queue. Throws RemoteError that says what was being done when the
// call as a whole fails; what failed for one topic or group of it is in the event.
template <class Call>
Event ask(Cluster& cluster, rd_kafka_admin_op_t operation, std::string_view doing,
          const Call& call) {
  constexpr int kGraceMillis = 1'000;  // the client's own timeout should strike first
  cluster.reach();
  rd_kafka_t* const handle = cluster.handle();
  const auto timeout = static_cast<int>(cluster.timeout().count());
  const std::unique_ptr<rd_kafka_AdminOptions_t, EndAdminOptions> options(
      rd_kafka_AdminOptions_new(handle, operation));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout, nullptr, 0);
  const std::unique_ptr<rd_kafka_queue_t, EndQueue> queue(rd_kafka_queue_new(handle));
  call(handle, options.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), timeout + kGraceMillis));
  cluster.check();
  if (!event) throw cluster.failure(doing, RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw cluster.failure(doing, code, rd_kafka_event_error_string(event.get()));
  return event;
}

}  // namespace segue::kafka
