-- Records in Amazon Redshift, loaded by load.py as the manifest topic tells of them: every row of the
-- files, FINISH records and what is no exchange included. The order of columns is that of the files:
-- COPY goes by it. Headers are SUPER: request_headers."accept"[0].
CREATE TABLE records (
  "id" VARCHAR(65535),
  "created_at" TIMESTAMP,
  "kind" VARCHAR(65535),
  "parent_id" VARCHAR(65535),
  "outcome" VARCHAR(65535),
  "refusal" VARCHAR(65535),
  "route" VARCHAR(65535),
  "path_template" VARCHAR(65535),
  "method" VARCHAR(65535),
  "scheme" VARCHAR(65535),
  "authority" VARCHAR(65535),
  "target" VARCHAR(65535),
  "path" VARCHAR(65535),
  "status" BIGINT,
  "account_id" VARCHAR(65535),
  "backend" VARCHAR(65535),
  "role" VARCHAR(65535),
  "endpoint" VARCHAR(65535),
  "bucket" BIGINT,
  "shadow" VARCHAR(65535),
  "latency_us" BIGINT,
  "first_byte_us" BIGINT,
  "attempts" BIGINT,
  "error" VARCHAR(65535),
  "request_headers" SUPER,
  "request_body" VARCHAR(65535),
  "request_body_bytes" VARBYTE(1024000),
  "request_size" BIGINT,
  "request_capture" VARCHAR(65535),
  "response_headers" SUPER,
  "response_body" VARCHAR(65535),
  "response_body_bytes" VARBYTE(1024000),
  "response_size" BIGINT,
  "response_capture" VARCHAR(65535),
  "client_address" VARCHAR(65535),
  "trace_id" VARCHAR(65535),
  "service" VARCHAR(65535),
  "instance" VARCHAR(65535),
  "config_version" VARCHAR(65535),
  "source" VARCHAR(65535),
  "partition" VARCHAR(65535),
  "offset" BIGINT,
  "redelivered" BOOLEAN,
  "record" VARBYTE(1024000)
)
SORTKEY ("created_at");

-- FINISH records tell what became of an exchange after it was on record.
CREATE VIEW exchanges AS
SELECT
  e."id", e."created_at", e."kind", e."parent_id",
  CASE WHEN e.outcome = 'COMPLETED' THEN coalesce(f.outcome, e.outcome) ELSE e.outcome END AS outcome,
  e."refusal", e."route", e."path_template", e."method", e."scheme", e."authority", e."target",
  e."path", e."status", e."account_id", e."backend", e."role", e."endpoint", e."bucket", e."shadow",
  e."latency_us", e."first_byte_us", e."attempts", e."error", e."request_headers", e."request_body",
  e."request_body_bytes", e."request_size", e."request_capture", e."response_headers",
  e."response_body", e."response_body_bytes", e."response_size", e."response_capture",
  e."client_address", e."trace_id", e."service", e."instance", e."config_version", e."source",
  e."partition", e."offset", e."redelivered"
FROM records e
LEFT JOIN (SELECT parent_id, outcome, row_number() OVER (
             PARTITION BY parent_id ORDER BY created_at DESC) AS place
           FROM records WHERE kind = 'FINISH') f ON f.parent_id = e.id AND f.place = 1
WHERE e.kind <> 'FINISH';
