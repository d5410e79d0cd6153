#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// What Kafka Connect's REST API says of its workers and connectors. Texts are whatever stands there:
// who shows them to a person makes them printable.
namespace segue::kafka {

// A connector itself, or one of its tasks.
struct ConnectPart {
  std::int64_t task = -1;  // -1: the connector
  std::string state;       // RUNNING, PAUSED, STOPPED, UNASSIGNED, RESTARTING, FAILED
  std::string worker;
  std::string trace;       // of a failure

  bool failed() const { return state == "FAILED"; }
};

struct Connector {
  std::string name;
  std::string type;   // source, sink
  std::string klass;  // Java class
  std::vector<ConnectPart> parts;  // its own, then one for each task
};

struct ConnectLook {
  std::string version;
  std::string cluster_id;  // of Kafka
  std::set<std::string> workers;
  std::vector<Connector> connectors;
};

// Of the bodies of GET / and GET /connectors?expand=status&expand=info, which are JSON objects: what
// is absent or of another type reads as empty. Sorted by name.
ConnectLook read_connect(std::string_view root, std::string_view connectors);
// The body is a JSON object.
bool is_object(std::string_view body);
// What an error says of itself; empty: nothing.
std::string connect_message(std::string_view body);

}  // namespace segue::kafka
