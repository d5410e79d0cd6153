-- Where answers fail, and how often of all.
SELECT route, backend, count(*) AS exchanges,
       count(*) FILTER (status >= 500 OR status IS NULL) AS failed,
       round(100.0 * failed / exchanges, 2) AS percent
FROM exchanges
WHERE kind = 'PRIMARY'
GROUP BY ALL
ORDER BY failed DESC, exchanges DESC
