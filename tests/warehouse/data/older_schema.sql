-- How raw/dt=2026-11-01/ was made, by DuckDB: a file of a schema with fewer columns, one of them by
-- another name, in another order. What names a column is its field id.
COPY (
  SELECT TIMESTAMP '2026-11-01 09:00:00' + to_seconds(n) AS created_at,
         format('019a3e00-0000-7000-8000-{:012d}', n) AS id, 'PRIMARY' AS kind,
         NULL::VARCHAR AS parent_id, 'COMPLETED' AS outcome, 'search-read' AS route_name,
         'GET' AS method, format('/searches/{}', n) AS target, format('/searches/{}', n) AS path,
         200::BIGINT AS status, 'user-7' AS account_id, 1400::BIGINT AS latency_us,
         MAP {'accept': ['*/*']} AS request_headers, NULL::VARCHAR AS request_body,
         MAP {'content-type': ['text/plain']} AS response_headers, 'hello' AS response_body,
         'shop' AS source, '0' AS "partition", n::BIGINT AS "offset", ''::BLOB AS record
  FROM range(4) t(n)
) TO 'raw/dt=2026-11-01/shop~0~00000000000000000000~3.parquet' (
  FORMAT parquet, COMPRESSION zstd,
  FIELD_IDS {created_at: 2, id: 1, kind: 3, parent_id: 4, outcome: 5, route_name: 7, method: 9,
             target: 12, path: 13, status: 14, account_id: 15, latency_us: 21,
             request_headers: {__duckdb_field_id: 25, key: 25001,
                               value: {__duckdb_field_id: 25002, element: 25003}},
             request_body: 26,
             response_headers: {__duckdb_field_id: 30, key: 30001,
                                value: {__duckdb_field_id: 30002, element: 30003}},
             response_body: 31, source: 100, "partition": 101, "offset": 102, record: 104});
