-- An archive of Segue as tables of Amazon Athena. Put your bucket and prefix in:
--   sed 's#s3://BUCKET/PREFIX#s3://my-bucket/segue#' deploy/athena/exchanges.sql
-- Athena runs one statement at a time. Partitions need no registering: days are computed from their
-- range, which may begin with your first day.

-- Files as they were archived.
CREATE EXTERNAL TABLE raw (
  `id` string,
  `created_at` timestamp,
  `kind` string,
  `parent_id` string,
  `outcome` string,
  `refusal` string,
  `route` string,
  `path_template` string,
  `method` string,
  `scheme` string,
  `authority` string,
  `target` string,
  `path` string,
  `status` bigint,
  `account_id` string,
  `backend` string,
  `role` string,
  `endpoint` string,
  `bucket` bigint,
  `shadow` string,
  `latency_us` bigint,
  `first_byte_us` bigint,
  `attempts` bigint,
  `error` string,
  `request_headers` map<string,array<string>>,
  `request_body` string,
  `request_body_bytes` binary,
  `request_size` bigint,
  `request_capture` string,
  `response_headers` map<string,array<string>>,
  `response_body` string,
  `response_body_bytes` binary,
  `response_size` bigint,
  `response_capture` string,
  `client_address` string,
  `trace_id` string,
  `service` string,
  `instance` string,
  `config_version` string,
  `source` string,
  `partition` string,
  `offset` bigint,
  `redelivered` boolean,
  `record` binary
)
PARTITIONED BY (`dt` date)
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/raw/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW+2DAYS',
  'storage.location.template' = 's3://BUCKET/PREFIX/raw/dt=${dt}/'
);

-- Closed days, in few large files.
CREATE EXTERNAL TABLE compact (
  `id` string,
  `created_at` timestamp,
  `kind` string,
  `parent_id` string,
  `outcome` string,
  `refusal` string,
  `route` string,
  `path_template` string,
  `method` string,
  `scheme` string,
  `authority` string,
  `target` string,
  `path` string,
  `status` bigint,
  `account_id` string,
  `backend` string,
  `role` string,
  `endpoint` string,
  `bucket` bigint,
  `shadow` string,
  `latency_us` bigint,
  `first_byte_us` bigint,
  `attempts` bigint,
  `error` string,
  `request_headers` map<string,array<string>>,
  `request_body` string,
  `request_body_bytes` binary,
  `request_size` bigint,
  `request_capture` string,
  `response_headers` map<string,array<string>>,
  `response_body` string,
  `response_body_bytes` binary,
  `response_size` bigint,
  `response_capture` string,
  `client_address` string,
  `trace_id` string,
  `service` string,
  `instance` string,
  `config_version` string,
  `source` string,
  `partition` string,
  `offset` bigint,
  `redelivered` boolean,
  `record` binary
)
PARTITIONED BY (`dt` date)
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/compact/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW+2DAYS',
  'storage.location.template' = 's3://BUCKET/PREFIX/compact/dt=${dt}/'
);

-- Days before it are read from compact: one row, or none before the first compaction.
CREATE EXTERNAL TABLE watermark (`before` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://BUCKET/PREFIX/watermark/';

-- Every record once: compacted days from compact, the others from raw. The watermark is read once, so
-- that a day that is compacted meanwhile is seen whole, on one side or the other.
CREATE OR REPLACE VIEW records AS
SELECT
  "id", "created_at", "kind", "parent_id", "outcome", "refusal", "route", "path_template", "method",
  "scheme", "authority", "target", "path", "status", "account_id", "backend", "role", "endpoint",
  "bucket", "shadow", "latency_us", "first_byte_us", "attempts", "error", "request_headers",
  "request_body", "request_body_bytes", "request_size", "request_capture", "response_headers",
  "response_body", "response_body_bytes", "response_size", "response_capture", "client_address",
  "trace_id", "service", "instance", "config_version", "source", "partition", "offset",
  "redelivered", "record", "dt"
FROM (SELECT 'compact' AS part, c.* FROM compact c
      UNION ALL SELECT 'raw' AS part, r.* FROM raw r) files
CROSS JOIN (SELECT coalesce(max(CAST("before" AS date)), DATE '1970-01-01') AS day
            FROM watermark) compacted
WHERE (part = 'compact' AND dt < day) OR (part = 'raw' AND dt >= day);

-- FINISH records tell what became of an exchange after it was on record.
CREATE OR REPLACE VIEW exchanges AS
SELECT
  e."id", e."created_at", e."kind", e."parent_id",
  CASE WHEN e.outcome = 'COMPLETED' THEN coalesce(f.outcome, e.outcome) ELSE e.outcome END AS outcome,
  e."refusal", e."route", e."path_template", e."method", e."scheme", e."authority", e."target",
  e."path", e."status", e."account_id", e."backend", e."role", e."endpoint", e."bucket", e."shadow",
  e."latency_us", e."first_byte_us", e."attempts", e."error", e."request_headers", e."request_body",
  e."request_body_bytes", e."request_size", e."request_capture", e."response_headers",
  e."response_body", e."response_body_bytes", e."response_size", e."response_capture",
  e."client_address", e."trace_id", e."service", e."instance", e."config_version", e."source",
  e."partition", e."offset", e."redelivered", e."dt"
FROM records e
LEFT JOIN (SELECT parent_id, max_by(outcome, created_at) AS outcome FROM records
           WHERE kind = 'FINISH' GROUP BY parent_id) f ON f.parent_id = e.id
WHERE e.kind <> 'FINISH';
