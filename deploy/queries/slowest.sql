-- How long routes take, by backend, in milliseconds.
-- param since = 1 day: how far back, as an interval
SELECT route, backend, count(*) AS total,
       round(quantile_cont(latency_us, 0.5) / 1000, 1) AS p50,
       round(quantile_cont(latency_us, 0.99) / 1000, 1) AS p99,
       round(max(latency_us) / 1000, 1) AS slowest
FROM exchanges
WHERE kind = 'PRIMARY' AND latency_us IS NOT NULL
  AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
GROUP BY ALL
ORDER BY p99 DESC
