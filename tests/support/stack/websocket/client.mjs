// What the client of the package ws finds at a server.mjs, perhaps with something in between:
//   node client.mjs URL
// prints {"CHECK": true or what was wrong, ...}.
import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.WS_FOLDER, "package.json"));
const { WebSocket } = require("ws");

const url = process.argv[2];
const PATIENCE = 60_000; // milliseconds for each check
const PARALLEL = 200;

async function open(options = {}) {
  const socket = new WebSocket(url, { rejectUnauthorized: false, ...options });
  await once(socket, "open");
  return socket;
}

async function ask(socket, data, options = {}) {
  const answer = once(socket, "message");
  socket.send(data, options);
  const [bytes, isBinary] = await answer;
  return isBinary ? bytes : bytes.toString();
}

// The close codes that the server has seen.
async function closes() {
  const { get } = url.startsWith("wss:") ? https : http;
  const [response] = await once(
    get(`${url.replace(/^ws/, "http")}/closes`, { rejectUnauthorized: false, agent: false }),
    "response",
  );
  let text = "";
  for await (const piece of response) text += piece;
  return JSON.parse(text);
}

async function seenClose(code, reason) {
  for (;;) if ((await closes()).some((seen) => seen[0] === code && seen[1] === reason)) return;
}

const checks = {
  async text() {
    const socket = await open();
    assert.equal(await ask(socket, "grüße"), "grüße");
    socket.close();
    await once(socket, "close");
  },
  async binary() {
    const socket = await open();
    const data = randomBytes(1 << 20);
    assert.ok(data.equals(await ask(socket, data)));
    socket.close();
  },
  async compressed() {
    const socket = await open();
    assert.equal(socket.extensions, "permessage-deflate");
    const text = "all work and no play ".repeat(10_000);
    assert.equal(await ask(socket, text), text);
    socket.close();
  },
  async uncompressed() {
    const socket = await open({ perMessageDeflate: false });
    assert.equal(socket.extensions, "");
    assert.equal(await ask(socket, "plain"), "plain");
    socket.close();
  },
  async ping() {
    const socket = await open();
    const pong = once(socket, "pong");
    socket.ping("payload");
    assert.equal((await pong)[0].toString(), "payload");
    assert.equal(await ask(socket, "ping:back"), "pong back");
    socket.close();
  },
  async fragmented() {
    const socket = await open();
    const answer = once(socket, "message");
    socket.send("one ", { fin: false });
    socket.send("two ", { fin: false });
    socket.send("three", { fin: true });
    assert.equal((await answer)[0].toString(), "one two three");
    assert.equal(await ask(socket, "fragments:a:b:c"), "abc");
    socket.close();
  },
  async closed_by_client() {
    const socket = await open();
    socket.close(4002, "enough");
    const [code] = await once(socket, "close");
    assert.equal(code, 4002);
    await seenClose(4002, "enough");
  },
  async closed_by_server() {
    const socket = await open();
    const closed = once(socket, "close");
    socket.send("close:4001:go away");
    const [code, reason] = await closed;
    assert.deepEqual([code, reason.toString()], [4001, "go away"]);
  },
  async cut_by_server() {
    const socket = await open();
    socket.on("error", () => {});
    const closed = once(socket, "close");
    socket.send("terminate");
    assert.equal((await closed)[0], 1006);
  },
  async cut_by_client() {
    const socket = await open();
    assert.equal(await ask(socket, "x"), "x");
    socket.terminate();
    await seenClose(1006, "");
  },
  async parallel() {
    const sockets = await Promise.all(Array.from({ length: PARALLEL }, () => open()));
    const talk = async (socket, number) => {
      for (let i = 0; i < 10; ++i)
        assert.equal(await ask(socket, `${number}/${i}`), `${number}/${i}`);
      socket.close(1000);
      assert.equal((await once(socket, "close"))[0], 1000);
    };
    await Promise.all(sockets.map(talk));
  },
};

const results = {};
for (const [name, check] of Object.entries(checks)) {
  const late = setTimeout(() => {
    console.log(JSON.stringify({ ...results, [name]: "nothing came" }));
    process.exit(0);
  }, PATIENCE);
  results[name] = await check().then(
    () => true,
    (error) => error.message,
  );
  clearTimeout(late);
}
console.log(JSON.stringify(results));
process.exit(0);
