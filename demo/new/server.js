// The shop written anew: Node alone, its state in memory. Paths are served with and without /v2.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

// `stock` was renamed here: somebody thought that it reads better.
const products = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'products.json'))).map(
  ({ stock, ...rest }) => ({ ...rest, in_stock: stock }),
);
const carts = new Map();
const orders = new Map();
let nextOrder = 1;

const cents = (amount) => Math.round(amount * 100) / 100; // the old shop cut what this rounds

const routes = [
  ['GET', /^\/products$/, () => [200, products]],
  ['GET', /^\/products\/(\d+)$/, showProduct],
  ['GET', /^\/search$/, showSearch],
  ['GET', /^\/recommendations$/, () => [200, products.slice(0, 3)]],
  ['POST', /^\/cart$/, addToCart],
  ['POST', /^\/orders$/, createOrder],
  ['GET', /^\/orders\/(\d+)$/, (request) => found(orderOf(request))],
  ['PATCH', /^\/orders\/(\d+)$/, updateOrder],
  ['DELETE', /^\/orders\/(\d+)$/, deleteOrder],
];

const found = (value) => (value ? [200, value] : [404, { error: 'not found' }]);
const search = (text) =>
  products.filter((product) => product.name.toLowerCase().includes(text.toLowerCase()));

const shuffled = (list) =>
  list
    .map((value) => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);

// Pages carry when they were made and for which request, and come in whatever order the parts of
// a page were ready: no two are alike.
function page(parts) {
  const request = crypto.randomBytes(8).toString('hex');
  const whole = { ...parts, generated_at: new Date().toISOString(), request_id: request };
  return [200, Object.fromEntries(shuffled(Object.entries(whole))), { 'X-Shop-Request': request }];
}

function showProduct({ id }) {
  const product = products.find((one) => one.id === id);
  if (!product) return found(product);
  const others = products.filter((one) => one !== product).map((one) => one.name);
  return page({
    ...product, member_price: cents(product.price * 0.95), also_bought: shuffled(others),
  });
}

function showSearch({ query }) {
  const started = process.hrtime.bigint();
  const hits = search(query.get('q') ?? '');
  return page({ hits, took_ns: Number(process.hrtime.bigint() - started) });
}

function orderOf({ id, uid }) {
  const order = orders.get(id);
  return order?.uid === uid ? order : undefined;
}

function addToCart({ uid, body }) {
  if (!body.product || !body.qty) return [422, { error: 'product and qty are needed' }];
  carts.set(uid, [...(carts.get(uid) ?? []), body]);
  return [201, { added: body.qty }];
}

function createOrder({ uid, body }) {
  const items = carts.get(uid) ?? [];
  const price = (item) => products.find((product) => product.id === item.product).price * item.qty;
  const total = cents(items.reduce((sum, item) => sum + price(item), 0) * 0.95);
  const order = { id: nextOrder++, uid, name: body.name, total, status: 'open' };
  orders.set(order.id, order);
  carts.delete(uid);
  return [201, { id: order.id, total, status: order.status }, { Location: `/orders/${order.id}` }];
}

function updateOrder(request) {
  const order = orderOf(request);
  if (!order) return found(order);
  order.status = request.body.status.trim().toLowerCase(); // fails without a status
  return [200, order];
}

function deleteOrder(request) {
  if (orderOf(request)) orders.delete(request.id);
  return [204];
}

async function read(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return text ? JSON.parse(text) : {};
}

async function serve(request) {
  const url = new URL(request.url, 'http://shop');
  const pathname = url.pathname.replace(/^\/v2(?=\/)/, '');
  const uid = /(?:^|;\s*)uid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'guest';
  const body = await read(request);
  for (const [method, pattern, handler] of routes) {
    const match = pattern.exec(pathname);
    if (match && method === request.method) {
      return handler({ id: Number(match[1]), uid, query: url.searchParams, body });
    }
  }
  return [404, { error: 'no such page' }];
}

http
  .createServer(async (request, response) => {
    const [status, value, headers] = await serve(request).catch((error) => [
      500,
      { error: String(error) },
    ]);
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(value === undefined ? undefined : JSON.stringify(value));
  })
  .listen(Number(process.env.SHOP_PORT), '127.0.0.1', function listening() {
    console.error(`listening on 127.0.0.1:${this.address().port}`);
  });
