// Counts a file of exchanges (one JSON object a line) by route and backend.
'use strict';
const fs = require('node:fs');

const rows = new Map();
for (const line of fs.readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean)) {
  const { route, backend, response } = JSON.parse(line);
  const key = `${route} -> ${backend}`;
  const row = rows.get(key) ?? { exchanges: 0, client: 0, server: 0 };
  row.exchanges += 1;
  if (response.status >= 500) row.server += 1;
  else if (response.status >= 400) row.client += 1;
  rows.set(key, row);
}

const print = (name, ...counts) =>
  console.log(name.padEnd(26) + counts.map((count) => String(count).padStart(10)).join(''));
print('ROUTE -> BACKEND', 'EXCHANGES', '4XX', '5XX');
for (const [key, row] of [...rows].sort()) print(key, row.exchanges, row.client, row.server);
