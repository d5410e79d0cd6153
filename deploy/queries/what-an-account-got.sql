-- Everything that one account was served, in order; also where ids are on record hashed.
-- param account: its id, as it is sent
-- param since = 30 days: how far back, as an interval
SELECT created_at, method, target, status, backend, outcome, response_size, id
FROM exchanges
WHERE kind = 'PRIMARY' AND account_id IN (SELECT unnest(getvariable('accounts')))
  AND created_at >= now() AT TIME ZONE 'UTC' - getvariable('since')::INTERVAL
ORDER BY created_at
