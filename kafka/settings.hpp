#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace segue::kafka {

struct TlsSettings {
  std::filesystem::path ca;    // PEM; empty: the system's authorities
  std::filesystem::path cert;  // PEM, of the client, with `key`
  std::filesystem::path key;
};

struct SaslSettings {
  std::string mechanism;  // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER
  std::string username;
  std::filesystem::path password_file;  // its first line
};

// A schema registry with Confluent's REST API.
struct RegistrySettings {
  std::string url;           // "https://registry:8081/apis/ccompat/v7": what stands before /subjects
  std::filesystem::path ca;  // PEM; empty: the system's authorities
  std::string username;      // basic authentication; empty: none
  std::filesystem::path password_file;
};

// A key that takes more than `above_percent` of the records of late is spread over `buckets` keys
// ("account#3"), so that it does not fill one partition; order then holds within a bucket only.
struct HotKeySettings {
  unsigned buckets = 1;        // 1: off
  double above_percent = 5;
};

// `recorder.kafka` of the configuration: whom to reach, how, and where the records go.
struct Settings {
  std::vector<std::string> brokers;  // "host:port"
  std::string topic = "segue.exchanges";
  std::string shadow_topic;          // empty: `topic`
  std::map<std::string, std::string> properties;  // of librdkafka, passed through
  std::optional<TlsSettings> tls;
  std::optional<SaslSettings> sasl;
  std::optional<RegistrySettings> registry;
  HotKeySettings hot_keys;
};

}  // namespace segue::kafka
