-- An archive of Segue as tables of Apache Spark. Put its place in:
--   sed 's#s3a://BUCKET/PREFIX#file:/srv/segue/archive#' deploy/spark/exchanges.sql >exchanges.sql
--   spark-sql -i exchanges.sql
-- The tables are as lasting as the session's catalog. `dt` comes from the paths: no partition has to
-- be registered. What came since a session listed the files is seen after REFRESH TABLE raw.

-- Files as they were archived.
CREATE TABLE raw (
  `id` STRING,
  `created_at` TIMESTAMP_NTZ,
  `kind` STRING,
  `parent_id` STRING,
  `outcome` STRING,
  `refusal` STRING,
  `route` STRING,
  `path_template` STRING,
  `method` STRING,
  `scheme` STRING,
  `authority` STRING,
  `target` STRING,
  `path` STRING,
  `status` BIGINT,
  `account_id` STRING,
  `backend` STRING,
  `role` STRING,
  `endpoint` STRING,
  `bucket` BIGINT,
  `shadow` STRING,
  `latency_us` BIGINT,
  `first_byte_us` BIGINT,
  `attempts` BIGINT,
  `error` STRING,
  `request_headers` MAP<STRING, ARRAY<STRING>>,
  `request_body` STRING,
  `request_body_bytes` BINARY,
  `request_size` BIGINT,
  `request_capture` STRING,
  `response_headers` MAP<STRING, ARRAY<STRING>>,
  `response_body` STRING,
  `response_body_bytes` BINARY,
  `response_size` BIGINT,
  `response_capture` STRING,
  `client_address` STRING,
  `trace_id` STRING,
  `service` STRING,
  `instance` STRING,
  `config_version` STRING,
  `source` STRING,
  `partition` STRING,
  `offset` BIGINT,
  `redelivered` BOOLEAN,
  `record` BINARY,
  `dt` DATE
) USING parquet LOCATION 's3a://BUCKET/PREFIX/raw';

-- Closed days, in few large files.
CREATE TABLE compact (
  `id` STRING,
  `created_at` TIMESTAMP_NTZ,
  `kind` STRING,
  `parent_id` STRING,
  `outcome` STRING,
  `refusal` STRING,
  `route` STRING,
  `path_template` STRING,
  `method` STRING,
  `scheme` STRING,
  `authority` STRING,
  `target` STRING,
  `path` STRING,
  `status` BIGINT,
  `account_id` STRING,
  `backend` STRING,
  `role` STRING,
  `endpoint` STRING,
  `bucket` BIGINT,
  `shadow` STRING,
  `latency_us` BIGINT,
  `first_byte_us` BIGINT,
  `attempts` BIGINT,
  `error` STRING,
  `request_headers` MAP<STRING, ARRAY<STRING>>,
  `request_body` STRING,
  `request_body_bytes` BINARY,
  `request_size` BIGINT,
  `request_capture` STRING,
  `response_headers` MAP<STRING, ARRAY<STRING>>,
  `response_body` STRING,
  `response_body_bytes` BINARY,
  `response_size` BIGINT,
  `response_capture` STRING,
  `client_address` STRING,
  `trace_id` STRING,
  `service` STRING,
  `instance` STRING,
  `config_version` STRING,
  `source` STRING,
  `partition` STRING,
  `offset` BIGINT,
  `redelivered` BOOLEAN,
  `record` BINARY,
  `dt` DATE
) USING parquet LOCATION 's3a://BUCKET/PREFIX/compact';

-- Days before it are read from compact: one row, or none before the first compaction.
CREATE TABLE watermark (`before` STRING) USING json LOCATION 's3a://BUCKET/PREFIX/watermark';

-- Every record once: compacted days from compact, the others from raw. The watermark is read once, so
-- that a day that is compacted meanwhile is seen whole, on one side or the other.
CREATE OR REPLACE VIEW records AS
SELECT
  `id`, `created_at`, `kind`, `parent_id`, `outcome`, `refusal`, `route`, `path_template`, `method`,
  `scheme`, `authority`, `target`, `path`, `status`, `account_id`, `backend`, `role`, `endpoint`,
  `bucket`, `shadow`, `latency_us`, `first_byte_us`, `attempts`, `error`, `request_headers`,
  `request_body`, `request_body_bytes`, `request_size`, `request_capture`, `response_headers`,
  `response_body`, `response_body_bytes`, `response_size`, `response_capture`, `client_address`,
  `trace_id`, `service`, `instance`, `config_version`, `source`, `partition`, `offset`,
  `redelivered`, `record`, `dt`
FROM (SELECT 'compact' AS part, c.* FROM compact c
      UNION ALL SELECT 'raw' AS part, r.* FROM raw r) files
CROSS JOIN (SELECT coalesce(max(CAST(`before` AS date)), DATE '1970-01-01') AS day
            FROM watermark) compacted
WHERE (part = 'compact' AND dt < day) OR (part = 'raw' AND dt >= day);

-- FINISH records tell what became of an exchange after it was on record.
CREATE OR REPLACE VIEW exchanges AS
SELECT
  e.`id`, e.`created_at`, e.`kind`, e.`parent_id`,
  CASE WHEN e.outcome = 'COMPLETED' THEN coalesce(f.outcome, e.outcome) ELSE e.outcome END AS outcome,
  e.`refusal`, e.`route`, e.`path_template`, e.`method`, e.`scheme`, e.`authority`, e.`target`,
  e.`path`, e.`status`, e.`account_id`, e.`backend`, e.`role`, e.`endpoint`, e.`bucket`, e.`shadow`,
  e.`latency_us`, e.`first_byte_us`, e.`attempts`, e.`error`, e.`request_headers`, e.`request_body`,
  e.`request_body_bytes`, e.`request_size`, e.`request_capture`, e.`response_headers`,
  e.`response_body`, e.`response_body_bytes`, e.`response_size`, e.`response_capture`,
  e.`client_address`, e.`trace_id`, e.`service`, e.`instance`, e.`config_version`, e.`source`,
  e.`partition`, e.`offset`, e.`redelivered`, e.`dt`
FROM records e
LEFT JOIN (SELECT parent_id, max_by(outcome, created_at) AS outcome FROM records
           WHERE kind = 'FINISH' GROUP BY parent_id) f ON f.parent_id = e.id
WHERE e.kind <> 'FINISH';
