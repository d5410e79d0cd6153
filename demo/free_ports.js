// Prints DEMO_NAME_PORT=port for each name given; all are free now.
'use strict';
const net = require('node:net');

const names = process.argv.slice(2);
let waiting = names.length;
const servers = names.map((name) =>
  net.createServer().listen(0, '127.0.0.1', function listening() {
    console.log(`DEMO_${name}_PORT=${this.address().port}`);
    waiting -= 1;
    if (waiting === 0) for (const server of servers) server.close();
  }),
);
