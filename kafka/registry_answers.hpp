#pragma once

#include <string>
#include <string_view>

#include "kafka/rest_client.hpp"

// What the REST API of a schema registry says, or whatever else is at that address: any bytes.
namespace segue::kafka {

// What a registry said.
struct RegistryAnswer {
  // incompatible: only another schema or another compatibility level helps; unreachable: try
  // again later (no connection, TLS, timeout, 5xx, 429); refused: the credentials, the URL or the
  // rights are wrong; absent: a look-up found nothing.
  enum class Kind : std::uint8_t { ok, incompatible, unreachable, refused, absent };
  Kind kind = Kind::ok;
  int schema_id = 0;   // with ok
  std::string detail;  // one line for a person; empty with ok
};

// A schema as a registry keeps it.
struct RegisteredSchema {
  RegistryAnswer answer;  // the rest is set when this is ok
  std::string type;       // "PROTOBUF", "AVRO", "JSON"
  std::string text;
  int version = 0;        // within its subject; 0 from by_id()
};

// What an answer means, without looking at what a good one holds. `url`: who gave it.
RegistryAnswer judge(const std::string& url, const RestAnswer& answer);

// These hold a good answer to what it should have: one that lacks it is refused, for it comes from
// something else.
RegistryAnswer read_id(const std::string& url, const RestAnswer& answer);
// Of a compatibility check of `subject`, as it stands in a path. No earlier version is ok.
RegistryAnswer read_verdict(const std::string& url, std::string_view subject,
                            const RestAnswer& answer);
RegisteredSchema read_by_id(const std::string& url, int schema_id, const RestAnswer& answer);
RegisteredSchema read_latest(const std::string& url, const RestAnswer& answer);

}  // namespace segue::kafka
