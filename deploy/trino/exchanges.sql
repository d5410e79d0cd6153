-- An archive of Segue as tables of Trino, by its Hive connector. Put your bucket and prefix in, and
-- run it in the catalog and schema of your choice:
--   sed 's#s3://BUCKET/PREFIX#s3://my-bucket/segue#' deploy/trino/exchanges.sql |
--     trino --catalog hive --schema traffic -f /dev/stdin
-- The catalog needs `hive.timestamp-precision=MICROSECONDS`. Partitions need no registering: days are
-- computed from their range, which may begin with your first day.

-- Files as they were archived.
CREATE TABLE raw (
  "id" varchar,
  "created_at" timestamp(6),
  "kind" varchar,
  "parent_id" varchar,
  "outcome" varchar,
  "refusal" varchar,
  "route" varchar,
  "path_template" varchar,
  "method" varchar,
  "scheme" varchar,
  "authority" varchar,
  "target" varchar,
  "path" varchar,
  "status" bigint,
  "account_id" varchar,
  "backend" varchar,
  "role" varchar,
  "endpoint" varchar,
  "bucket" bigint,
  "shadow" varchar,
  "latency_us" bigint,
  "first_byte_us" bigint,
  "attempts" bigint,
  "error" varchar,
  "request_headers" map(varchar, array(varchar)),
  "request_body" varchar,
  "request_body_bytes" varbinary,
  "request_size" bigint,
  "request_capture" varchar,
  "response_headers" map(varchar, array(varchar)),
  "response_body" varchar,
  "response_body_bytes" varbinary,
  "response_size" bigint,
  "response_capture" varchar,
  "client_address" varchar,
  "trace_id" varchar,
  "service" varchar,
  "instance" varchar,
  "config_version" varchar,
  "source" varchar,
  "partition" varchar,
  "offset" bigint,
  "redelivered" boolean,
  "record" varbinary,
  "dt" date WITH (
    partition_projection_type = 'DATE',
    partition_projection_format = 'yyyy-MM-dd',
    partition_projection_range = ARRAY['2026-01-01', 'NOW+2DAYS'])
) WITH (
  format = 'PARQUET',
  external_location = 's3://BUCKET/PREFIX/raw/',
  partitioned_by = ARRAY['dt'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://BUCKET/PREFIX/raw/dt=${dt}/'
);

-- Closed days, in few large files.
CREATE TABLE compact (
  "id" varchar,
  "created_at" timestamp(6),
  "kind" varchar,
  "parent_id" varchar,
  "outcome" varchar,
  "refusal" varchar,
  "route" varchar,
  "path_template" varchar,
  "method" varchar,
  "scheme" varchar,
  "authority" varchar,
  "target" varchar,
  "path" varchar,
  "status" bigint,
  "account_id" varchar,
  "backend" varchar,
  "role" varchar,
  "endpoint" varchar,
  "bucket" bigint,
  "shadow" varchar,
  "latency_us" bigint,
  "first_byte_us" bigint,
  "attempts" bigint,
  "error" varchar,
  "request_headers" map(varchar, array(varchar)),
  "request_body" varchar,
  "request_body_bytes" varbinary,
  "request_size" bigint,
  "request_capture" varchar,
  "response_headers" map(varchar, array(varchar)),
  "response_body" varchar,
  "response_body_bytes" varbinary,
  "response_size" bigint,
  "response_capture" varchar,
  "client_address" varchar,
  "trace_id" varchar,
  "service" varchar,
  "instance" varchar,
  "config_version" varchar,
  "source" varchar,
  "partition" varchar,
  "offset" bigint,
  "redelivered" boolean,
  "record" varbinary,
  "dt" date WITH (
    partition_projection_type = 'DATE',
    partition_projection_format = 'yyyy-MM-dd',
    partition_projection_range = ARRAY['2026-01-01', 'NOW+2DAYS'])
) WITH (
  format = 'PARQUET',
  external_location = 's3://BUCKET/PREFIX/compact/',
  partitioned_by = ARRAY['dt'],
  partition_projection_enabled = true,
  partition_projection_location_template = 's3://BUCKET/PREFIX/compact/dt=${dt}/'
);

-- Days before it are read from compact: one row, or none before the first compaction.
CREATE TABLE watermark ("before" varchar)
WITH (format = 'JSON', external_location = 's3://BUCKET/PREFIX/watermark/');

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
