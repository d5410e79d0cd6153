#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "kafka/settings.hpp"

namespace segue::kafka {

struct DestroyConfiguration {
  void operator()(rd_kafka_conf_t* conf) const noexcept { rd_kafka_conf_destroy(conf); }
};
using Configuration = std::unique_ptr<rd_kafka_conf_t, DestroyConfiguration>;

struct DestroyHandle {
  void operator()(rd_kafka_t* handle) const noexcept { rd_kafka_destroy(handle); }
};
using Handle = std::unique_ptr<rd_kafka_t, DestroyHandle>;

// Properties that may not be set through `kafka.properties`: they have a key of their own, or the
// guarantees depend on them. Empty: it may; otherwise why not and what to use instead.
std::string_view why_reserved(std::string_view property) noexcept;

// What every client of a cluster shares: brokers, security, client.id, the properties that are
// passed through, a log callback that is silent (callers look at errors). Throws StartupError with
// one line: a property that librdkafka does not know or a value it refuses, a file that cannot be
// read.
Configuration make_configuration(const Settings& settings);

// Sets one property; throws StartupError with one line when librdkafka refuses it.
void set(rd_kafka_conf_t& conf, const char* property, const std::string& value);

// Makes the client; `conf` is used up. Throws StartupError.
Handle make_producer(Configuration conf);
Handle make_consumer(Configuration conf);

// Whether SCRAM is asked for and this librdkafka, older than 2.6.1, cannot do it with Kafka 4,
// whatever the password.
bool scram_is_beyond_librdkafka(const Settings& settings);

// What an authentication failure means to a person, with the way out; librdkafka before 2.6.1
// cannot do SCRAM with Kafka 4, and says only "invalid credentials". `detail` is librdkafka's text.
std::string explain_authentication_failure(const Settings& settings, std::string_view detail);

}  // namespace segue::kafka
