#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "kafka/configuration.hpp"
#include "recorder/publisher/publisher.hpp"

namespace segue::config {
namespace {

using kafka::HotKeySettings;
using kafka::RegistrySettings;
using kafka::SaslSettings;
using kafka::TlsSettings;

constexpr std::size_t kMaxBrokers = 64;      // to begin with; the cluster tells of the others
constexpr std::uint64_t kMaxBuckets = 1024;  // of one hot key

struct Broker {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "host:port, such as kafka.internal:9092";
    auto text = read_address_text(place, context, kExpected);
    if (!text) return std::nullopt;
    const auto address = parse_host_port(*text);
    if (address && address->port != 0) return text;
    refuse_value(place, context, kExpected,
                 text->find("://") == std::string::npos
                     ? ""
                     : "no scheme: 'tls' and 'sasl' choose the protocol");
    return std::nullopt;
  }
  std::string type() const { return "host:port"; }
  std::string show(const std::string& value) const { return value; }
};

struct RegistryUrl {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "http://HOST:PORT/PATH or https://...";
    auto text = read_address_text(place, context, kExpected);
    if (!text) return std::nullopt;
    if (text->find('@') != std::string::npos) {
      context.report.add(codes::kInlineSecret, place.node.at,
                         fmt::format("{} cannot hold a user or password", place.name),
                         "use username and password: { file: path }");
      return std::nullopt;
    }
    if (text->starts_with("http://") || text->starts_with("https://")) {
      while (text->ends_with('/')) text->pop_back();
      return text;
    }
    refuse_value(place, context, kExpected);
    return std::nullopt;
  }
  std::string type() const { return "URL"; }
  std::string show(const std::string& value) const { return value; }
};

Key<kafka::Settings> properties_key() {
  return special_key<kafka::Settings>(
      "properties", "map", "",
      "properties of librdkafka, passed through as they are: `linger.ms: 20`",
      [](const Place& place, Context& context, kafka::Settings& settings) {
        if (!is_map(place, context)) return;
        for (const yaml::Entry& entry : place.node.entries) {
          const Place value = place.child(entry);
          const std::string_view why = kafka::why_reserved(entry.key);
          if (!why.empty()) {
            context.report.add(codes::kBadValue, entry.key_at,
                               fmt::format("{} may not set '{}'", place.name, entry.key),
                               std::string(why));
          } else if (auto text = read_scalar(value, context, "text or a number")) {
            settings.properties[entry.key] = std::move(*text);
          }
        }
      });
}

Keys<TlsSettings> tls_keys() {
  return {
      key<TlsSettings>("ca", &TlsSettings::ca, File{},
                       "PEM file of the authorities that may have signed the brokers' certificates",
                       "the system's"),
      key<TlsSettings>("cert", &TlsSettings::cert, File{},
                       "PEM file: what the gateway shows of itself; with `key`"),
      key<TlsSettings>("key", &TlsSettings::key, Secret{}, "PEM file: the private key of `cert`"),
  };
}

Keys<SaslSettings> sasl_keys() {
  const Choice<std::string> mechanisms{{{"PLAIN", "PLAIN"},
                                        {"SCRAM-SHA-256", "SCRAM-SHA-256"},
                                        {"SCRAM-SHA-512", "SCRAM-SHA-512"},
                                        {"OAUTHBEARER", "OAUTHBEARER"}}};
  return {
      required(key<SaslSettings>("mechanism", &SaslSettings::mechanism, mechanisms,
                                 "how the gateway shows who it is")),
      key<SaslSettings>("username", &SaslSettings::username, Text{}, ""),
      key<SaslSettings>("password", &SaslSettings::password_file, Secret{},
                        "file whose first line is the password"),
  };
}

Keys<RegistrySettings> registry_keys() {
  return {
      required(key<RegistrySettings>(
          "url", &RegistrySettings::url, RegistryUrl{},
          "of a schema registry with Confluent's API; records then carry its frame")),
      key<RegistrySettings>("ca", &RegistrySettings::ca, File{},
                            "PEM file of the authorities that may have signed its certificate",
                            "the system's"),
      key<RegistrySettings>("username", &RegistrySettings::username, Text{},
                            "of basic authentication"),
      key<RegistrySettings>("password", &RegistrySettings::password_file, Secret{},
                            "file whose first line is the password"),
  };
}

Keys<HotKeySettings> hot_key_keys() {
  return {
      key<HotKeySettings>("buckets", &HotKeySettings::buckets, Count{1, kMaxBuckets},
                          "keys over which a hot one is spread (`account#bucket`); 1: never. Order "
                          "then holds within a bucket only"),
      special_key<HotKeySettings>(
          "above_percent", "percent", fmt::format("{}", HotKeySettings{}.above_percent),
          "of the records of late that make a key a hot one",
          [](const Place& place, Context& context, HotKeySettings& hot) {
            if (const auto hundredths = Percent{}.read(place, context))
              hot.above_percent = *hundredths / 100.0;
          }),
  };
}

void need_both(const Place& place, Context& context, std::string_view section,
               std::string_view one, std::string_view other) {
  const yaml::Entry* entry = place.node.find(section);
  if (entry == nullptr || entry->value.kind != yaml::Kind::map) return;
  if ((entry->value.find(one) == nullptr) == (entry->value.find(other) == nullptr)) return;
  context.report.add(codes::kMissingKey, entry->key_at,
                     fmt::format("{}.{} needs both '{}' and '{}', or neither", place.name, section,
                                 one, other));
}

Keys<kafka::Settings> kafka_keys() {
  return {
      required(key<kafka::Settings>("brokers", &kafka::Settings::brokers,
                                    List<Broker>{{}, kMaxBrokers},
                                    "where to begin; the cluster tells of its other brokers", "")),
      key<kafka::Settings>("topic", &kafka::Settings::topic, Topic{},
                           "where exchanges go, keyed by account"),
      group<kafka::Settings>(
          "topics", {key<kafka::Settings>("shadow", &kafka::Settings::shadow_topic, Topic{},
                                          "where shadow and control exchanges go", "`topic`")}),
      properties_key(),
      section<kafka::Settings>("tls", &kafka::Settings::tls, tls_keys()),
      section<kafka::Settings>("sasl", &kafka::Settings::sasl, sasl_keys()),
      section<kafka::Settings>("schema_registry", &kafka::Settings::registry, registry_keys()),
      section<kafka::Settings>("hot_keys", &kafka::Settings::hot_keys, hot_key_keys()),
  };
}

}  // namespace

Key<Settings> kafka_key() {
  Key<Settings> key = section<Settings>("kafka", &Settings::kafka, kafka_keys());
  key.read = [read = std::move(key.read)](const Place& place, Context& context,
                                          Settings& settings) {
    read(place, context, settings);
    need_both(place, context, "tls", "cert", "key");
    need_both(place, context, "sasl", "username", "password");
    need_both(place, context, "schema_registry", "username", "password");
    const yaml::Entry* brokers = place.node.find("brokers");
    if (brokers != nullptr && brokers->value.kind == yaml::Kind::sequence &&
        brokers->value.items.empty())
      context.report.add(codes::kOutOfRange, brokers->key_at,
                         fmt::format("{}.brokers must not be empty", place.name));
  };
  return key;
}

void finish_consumers(Settings& settings) {
  auto& consumers = settings.journal.consumers;
  if (settings.kafka &&
      std::find(consumers.begin(), consumers.end(), recorder::kPublisherConsumer) ==
          consumers.end())
    consumers.emplace_back(recorder::kPublisherConsumer);
}

}  // namespace segue::config
