-- What is sent most, by route: number, mean and largest size of bodies in bytes.
-- param since = 1 day: how far back, as an interval
SELECT route, count(*) AS total, round(avg(response_size)) AS mean, max(response_size) AS largest,
       sum(response_size) AS bytes
FROM exchanges
WHERE kind = 'PRIMARY' AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
GROUP BY ALL
ORDER BY bytes DESC
