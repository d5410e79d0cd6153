#include "kafka/configuration.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "exchange/error.hpp"
#include "kafka/secret_file.hpp"

namespace segue::kafka {
namespace {

// librdkafka's messages fit in this.
constexpr std::size_t kErrorText = 512;

struct Reserved {
  std::string_view property;
  std::string_view why;
};

constexpr std::array<Reserved, 26> kReserved{{
    {"bootstrap.servers", "use kafka.brokers"},
    {"metadata.broker.list", "use kafka.brokers"},
    {"acks", "a record counts as published when all replicas have it"},
    {"request.required.acks", "a record counts as published when all replicas have it"},
    {"enable.idempotence", "without it a retry could publish twice or out of order"},
    {"partitioner", "every consumer relies on murmur2_random"},
    {"transactional.id", "the publisher is idempotent, not transactional"},
    {"message.timeout.ms", "a record waits in the journal until it is published"},
    {"delivery.timeout.ms", "a record waits in the journal until it is published"},
    {"enable.gapless.guarantee", "the publisher itself keeps the order"},
    {"ssl.ca.location", "use kafka.tls.ca"},
    {"ssl.certificate.location", "use kafka.tls.cert"},
    {"ssl.key.location", "use kafka.tls.key"},
    {"security.protocol", "it follows from kafka.tls and kafka.sasl"},
    {"sasl.mechanism", "use kafka.sasl.mechanism"},
    {"sasl.mechanisms", "use kafka.sasl.mechanism"},
    {"sasl.username", "use kafka.sasl.username"},
    {"sasl.password", "use kafka.sasl.password: { file }"},
    {"group.id", "it follows from the command"},
    {"delivery.report.only.error", "a record counts as published when its report says so"},
    {"allow.auto.create.topics", "`seguectl topics ensure` makes the topic as it should be"},
    {"ssl.key.password", "secrets stand in files: use an unencrypted kafka.tls.key: { file }"},
    {"ssl.keystore.password", "secrets stand in files: use kafka.tls.cert and key"},
    {"ssl.key.pem", "secrets stand in files: use kafka.tls.key: { file }"},
    {"sasl.oauthbearer.client.secret", "use kafka.sasl.password: { file }"},
    {"sasl.oauthbearer.config", "secrets stand in files: use kafka.sasl.password: { file }"},
}};

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ","));
}

void set_tls(rd_kafka_conf_t& conf, const TlsSettings& tls) {
  const auto set_file = [&conf](const char* property, const std::filesystem::path& file,
                                std::string_view named_by) {
    if (file.empty()) return;
    check_readable(file, named_by);  // what librdkafka says of it is OpenSSL's
    set(conf, property, file.string());
  };
  set_file("ssl.ca.location", tls.ca, "recorder.kafka.tls.ca");
  set_file("ssl.certificate.location", tls.cert, "recorder.kafka.tls.cert");
  set_file("ssl.key.location", tls.key, "recorder.kafka.tls.key");
}

void set_sasl(rd_kafka_conf_t& conf, const SaslSettings& sasl) {
  set(conf, "sasl.mechanism", sasl.mechanism);
  const bool token = sasl.mechanism == "OAUTHBEARER";
  if (!sasl.username.empty())
    set(conf, token ? "sasl.oauthbearer.client.id" : "sasl.username", sasl.username);
  if (!sasl.password_file.empty())
    set(conf, token ? "sasl.oauthbearer.client.secret" : "sasl.password",
        read_secret(sasl.password_file, "recorder.kafka.sasl.password"));
}

// Commands may set it as a property, too.
std::string sasl_mechanism(const Settings& settings) {
  for (const char* name : {"sasl.mechanism", "sasl.mechanisms"})
    if (const auto found = settings.properties.find(name); found != settings.properties.end())
      return found->second;
  return settings.sasl ? settings.sasl->mechanism : std::string{};
}

Handle make(rd_kafka_type_t type, Configuration conf) {
  std::array<char, kErrorText> why{};
  rd_kafka_t* const handle = rd_kafka_new(type, conf.get(), why.data(), why.size());
  if (handle == nullptr) throw StartupError(fmt::format("kafka: {}", why.data()));
  static_cast<void>(conf.release());  // it belongs to the handle now
  return Handle(handle);
}

}  // namespace

std::string_view why_reserved(std::string_view property) noexcept {
  for (const Reserved& reserved : kReserved)
    if (reserved.property == property) return reserved.why;
  return {};
}

void set(rd_kafka_conf_t& conf, const char* property, const std::string& value) {
  std::array<char, kErrorText> why{};
  if (rd_kafka_conf_set(&conf, property, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
    throw StartupError(fmt::format("kafka: {}", why.data()));
}

Configuration make_configuration(const Settings& settings) {
  Configuration conf(rd_kafka_conf_new());
  set(*conf, "bootstrap.servers", joined(settings.brokers));
  set(*conf, "client.id", "segue");
  const bool tls = settings.tls.has_value();
  if (settings.sasl)
    set(*conf, "security.protocol", tls ? "sasl_ssl" : "sasl_plaintext");
  else if (tls)
    set(*conf, "security.protocol", "ssl");
  if (tls) set_tls(*conf, *settings.tls);
  if (settings.sasl) set_sasl(*conf, *settings.sasl);
  for (const auto& [property, value] : settings.properties) set(*conf, property.c_str(), value);
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  return conf;
}

Handle make_producer(Configuration conf) { return make(RD_KAFKA_PRODUCER, std::move(conf)); }

Handle make_consumer(Configuration conf) { return make(RD_KAFKA_CONSUMER, std::move(conf)); }

bool scram_is_beyond_librdkafka(const Settings& settings) {
  constexpr int kFirstGoodScram = 0x020601ff;
  return rd_kafka_version() < kFirstGoodScram && sasl_mechanism(settings).starts_with("SCRAM");
}

std::string explain_authentication_failure(const Settings& settings, std::string_view detail) {
  if (scram_is_beyond_librdkafka(settings))
    return fmt::format(
        "authentication failed: librdkafka {} cannot do {} with Kafka 4 (2.6.1 and later can): "
        "install a newer one, or use PLAIN over TLS or client certificates ({})",
        rd_kafka_version_str(), sasl_mechanism(settings), detail);
  return fmt::format("authentication failed: check kafka.sasl and kafka.tls ({})", detail);
}

}  // namespace segue::kafka
