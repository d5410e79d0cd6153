-- Requests that the shadow answered with another status than the primary.
-- param since = 1 day: how far back, as an interval
SELECT route, method, status, copy_status, count(*) AS pairs, min(id) AS example
FROM pairs
WHERE status IS DISTINCT FROM copy_status AND kind = 'SHADOW'
  AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
GROUP BY ALL
ORDER BY pairs DESC
