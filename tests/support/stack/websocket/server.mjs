// A WebSocket server of the package ws: echoes, and does what some messages ask for.
//   node server.mjs PORT [CERTIFICATE KEY]
// GET .../closes answers the close codes that it has seen, as JSON.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.WS_FOLDER, "package.json"));
const { WebSocketServer } = require("ws");

const [port, certificate, key] = process.argv.slice(2);
const closes = [];
const closesOf = (request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(closes));
};
const server = certificate
  ? https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, closesOf)
  : http.createServer(closesOf);
const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 1024 } });

const commands = {
  close: (socket, code, reason) => socket.close(Number(code), reason),
  terminate: (socket) => socket.terminate(),
  ping: (socket, payload) => {
    socket.once("pong", (data) => socket.send(`pong ${data}`));
    socket.ping(payload);
  },
  fragments: (socket, ...parts) =>
    parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 })),
};

sockets.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => {
    const [command, ...rest] = isBinary ? [] : data.toString().split(":");
    if (command in commands) commands[command](socket, ...rest);
    else socket.send(data, { binary: isBinary });
  });
  socket.on("close", (code, reason) => closes.push([code, reason.toString()]));
  socket.on("error", () => {}); // a close follows
});
server.listen(Number(port), "127.0.0.1");
