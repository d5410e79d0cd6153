#include "warehouse/sql/views.hpp"

namespace segue::warehouse {

void add_views(Engine& engine) {
  engine.run(R"(
CREATE VIEW pairs AS
SELECT p.id, c.id AS copy_id, p.created_at, c.kind, p.route, p.path_template, p.method, p.target,
       p.account_id, p.backend, c.backend AS copy_backend, p.status, c.status AS copy_status,
       c.outcome AS copy_outcome, p.latency_us, c.latency_us AS copy_latency_us,
       p.response_headers, c.response_headers AS copy_response_headers,
       p.response_body, c.response_body AS copy_response_body,
       p.response_body_bytes, c.response_body_bytes AS copy_response_body_bytes
FROM exchanges c JOIN exchanges p ON p.id = c.parent_id
WHERE c.kind IN ('SHADOW', 'CONTROL') AND p.kind = 'PRIMARY')");
}

}  // namespace segue::warehouse
