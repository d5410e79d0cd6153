// Any bytes as what Kafka Connect answers: what is before the first NUL to GET /, what is behind it to
// the question for its connectors. What is read of it holds together.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exchange/ensure.hpp"
#include "kafka/connect_answers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace segue;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(text.find('\0'), text.size());
  const std::string_view root = text.substr(0, cut);
  const std::string_view connectors = text.substr(std::min(cut + 1, text.size()));
  kafka::connect_message(root);
  const kafka::ConnectLook look = kafka::read_connect(root, connectors);
  ensure(look.connectors.empty() || kafka::is_object(connectors), "connectors stand in an object");
  ensure(std::ranges::is_sorted(look.connectors, {}, &kafka::Connector::name), "sorted by name");
  std::size_t parts = 0;
  for (const kafka::Connector& connector : look.connectors) {
    ensure(!connector.parts.empty(), "a connector has a state of its own");
    parts += connector.parts.size();
  }
  ensure(look.workers.size() <= parts && !look.workers.contains(""), "workers are those of parts");
  return 0;
}
