#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "kafka/registry_answers.hpp"
#include "kafka/rest_client.hpp"
#include "kafka/settings.hpp"

namespace segue::kafka {

// The subject that holds the schema of a topic's values (TopicNameStrategy).
std::string value_subject(std::string_view topic);

// Client of a schema registry with Confluent's REST API (Confluent, Apicurio's ccompat, Karapace).
// Every call waits for at most three answers, `patience` each, and keeps nothing. One thread at a
// time.
class SchemaRegistry {
 public:
  static constexpr std::chrono::milliseconds kPatience{10'000};
  // Throws StartupError: a URL that is not http(s), a file that cannot be read.
  explicit SchemaRegistry(RegistrySettings settings,
                          std::chrono::milliseconds patience = kPatience);

  // Makes sure that `protobuf_schema` is registered under `subject` and returns its id: looked up
  // first, so that a gateway that was rolled back, or may only read, still works; else checked
  // against the latest version and registered.
  RegistryAnswer ensure(std::string_view subject, std::string_view protobuf_schema);

  RegisteredSchema by_id(int schema_id);
  RegisteredSchema latest(std::string_view subject);

 private:
  RegistryAnswer look_up(const std::string& subject, const std::string& schema);
  RegistryAnswer check(const std::string& subject, const std::string& schema);
  RegistryAnswer register_schema(const std::string& subject, const std::string& schema);

  RestClient client_;
};

}  // namespace segue::kafka
