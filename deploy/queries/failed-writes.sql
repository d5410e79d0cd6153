-- Writes that did not go well, the latest first: what a repair has to look at.
-- param since = 1 day: how far back, as an interval
SELECT created_at, id, account_id, method, target, status, outcome, backend
FROM exchanges
WHERE kind = 'PRIMARY' AND method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE')
  AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
  AND (status IS NULL OR status >= 500 OR outcome <> 'COMPLETED')
ORDER BY created_at DESC
