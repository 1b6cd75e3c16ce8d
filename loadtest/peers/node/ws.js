// ws 8: rooms are sets of sockets, and a message is made once and sent to each, as in its
// documentation ("Server broadcast").
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { claimsOf } from "./tickets.js";

const http = createServer((request, response) => response.end("alive\n"));
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
const rooms = new Map();

function join(socket, names) {
  for (const name of names) {
    if (!rooms.has(name)) rooms.set(name, new Set());
    rooms.get(name).add(socket);
    socket.rooms.push(name);
  }
}

function leave(socket) {
  for (const name of socket.rooms) {
    const members = rooms.get(name);
    members.delete(socket);
    if (members.size === 0) rooms.delete(name);
  }
}

function broadcast(room, message, except) {
  const data = Buffer.from(JSON.stringify(message));
  for (const client of rooms.get(room) ?? []) {
    if (client !== except && client.readyState === WebSocket.OPEN) {
      client.send(data, { binary: false });
    }
  }
}

function hear(socket, message) {
  if (message.type === "hello") {
    socket.user = claimsOf(message.ticket).sub;
    join(socket, message.rooms);
    socket.send('{"type":"welcome"}');
  } else if (!socket.user) {
    socket.close(4401);
  } else if (message.type === "say") {
    broadcast(message.room, { ...message, type: "message" });
  } else if (message.type === "typing") {
    broadcast(message.room, { type: "typing", user: socket.user }, socket);
  } else if (message.type === "ping") {
    socket.send('{"type":"pong"}');
  }
}

server.on("connection", (socket) => {
  socket.rooms = [];
  socket.on("error", console.error);
  socket.on("close", () => leave(socket));
  socket.on("message", (data) => {
    try {
      hear(socket, JSON.parse(data));
    } catch {
      socket.close(4400);
    }
  });
});

http.listen({ port: Number(process.env.BENCH_PORT), host: "127.0.0.1", backlog: 4096 });
