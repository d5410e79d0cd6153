-- Where answers fail, and how often of all.
-- param since = 1 day: how far back, as an interval
SELECT route, backend, count(*) AS total,
       count(*) FILTER (status >= 500 OR status IS NULL) AS failed,
       round(100.0 * failed / total, 2) AS percent
FROM exchanges
WHERE kind = 'PRIMARY' AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
GROUP BY ALL
ORDER BY failed DESC, total DESC
