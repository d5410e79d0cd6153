-- Fields in which shadows answer something else, of pairs that `compare --store` compared.
-- param since = 7 days: how far back, as an interval
SELECT route, part, field, difference, count(DISTINCT id) AS pairs, min(id) AS example
FROM comparisons
WHERE kind = 'SHADOW' AND field IS NOT NULL
  AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
GROUP BY ALL
ORDER BY pairs DESC
