-- How many exchanges each minute had, and how many of them failed.
-- param since = 1 hour: how far back, as an interval
SELECT date_trunc('minute', created_at) AS minute, count(*) AS total,
       count(*) FILTER (status >= 500 OR status IS NULL) AS failed
FROM exchanges
WHERE kind = 'PRIMARY' AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
GROUP BY ALL
ORDER BY minute
