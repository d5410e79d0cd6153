-- Everything that one account was served, in order. Put its id in place of 123; where ids are
-- hashed, `seguectl cat --account 123 -o json` says what the hash is.
SELECT created_at, method, target, status, backend, outcome, response_size, id
FROM exchanges
WHERE kind = 'PRIMARY' AND account_id = '123'
ORDER BY created_at
