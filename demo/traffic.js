// Six customers use the shop through the gateway: they look, search, order, change their minds and
// mistype. Prints how many requests of each status there were.
'use strict';
const http = require('node:http');

const gateway = { host: '127.0.0.1', port: Number(process.env.DEMO_PUBLIC_PORT) };
const agent = new http.Agent({ keepAlive: true, maxSockets: 6 });
const statuses = new Map();

function send(method, path, { uid, body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = http.request(
      {
        ...gateway, method, path, agent,
        headers: {
          Host: 'shop.example',
          'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
          Accept: 'application/json',
          ...(uid && { Cookie: `uid=${uid}; theme=dark` }),
          ...(text && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
          ...headers,
        },
      },
      async (response) => {
        let answer = '';
        for await (const piece of response) answer += piece;
        statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
        const isJson = response.headers['content-type'] === 'application/json';
        resolve({ status: response.statusCode, body: isJson && answer ? JSON.parse(answer) : answer });
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

async function visit(uid, name, round) {
  await send('GET', '/products', { uid });
  await send('GET', '/opening-hours', { uid });
  for (const id of [1, 3, 5, 99]) await send('GET', `/products/${((id + round) % 97) || 1}`, { uid });
  await send('GET', `/search?q=${round % 2 ? 'str' : 'p'}`, { uid });
  await send('GET', '/search?q=stand', { uid, headers: { 'X-Beta': '1' } });
  if (round < 2) await send('GET', '/recommendations', { uid });
}

async function buy(uid, name, round) {
  await send('POST', '/orders/cart', { uid, body: { product: 1 + (round % 6) } }); // an old link: 404
  await send('POST', '/cart', { uid, body: { product: 1 + (round % 6), qty: 2 } });
  await send('POST', '/cart', { uid, body: { product: 4 } }); // forgot how many: 422
  const order = await send('POST', '/orders', {
    uid, body: { name }, headers: { Authorization: `Bearer token-of-${uid}` },
  });
  if (order.status !== 201) return;
  await send('GET', `/orders/${order.body.id}`, { uid });
  await send('PATCH', `/orders/${order.body.id}`, { uid, body: { status: 'paid' } });
  if (round % 3 === 2) await send('DELETE', `/orders/${order.body.id}`, { uid });
}

async function customer([uid, name]) {
  for (let round = 0; round < 4; ++round) {
    await visit(uid, name, round);
    await buy(uid, name, round);
    await send('GET', '/shop-api/products/2', { uid });
  }
}

const customers = [
  ['anna', 'Anna Peeters'], ['bram', 'Bram Claes'], ['chloe', 'Chloé Dubois'],
  ['dara', "Dara O'Brien"], ['emil', 'Emil Åberg'], ['fatma', 'Fatma Yılmaz'],
];

// Copies go out behind the answers; the record of the last one comes when it has its own.
async function copiesAreDone() {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${process.env.DEMO_PROBE_PORT}/metrics`);
    const counts = (await response.text()).matchAll(/^segue_shadow_in_flight\{.*\} (.+)$/gm);
    if ([...counts].every(([, count]) => Number(count) === 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Promise.all(customers.map(customer)).then(copiesAreDone).then(
  () => {
    const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    const each = [...statuses].sort().map(([status, count]) => `${count} x ${status}`);
    console.log(`${total} requests of ${customers.length} customers: ${each.join(', ')}`);
    agent.destroy();
  },
  (error) => {
    console.error(`traffic stopped: ${error.message}`);
    process.exit(1);
  },
);
