// Socket.IO 4 as its documentation advises for performance: WebSocket only, bufferutil installed, no
// compression, the upgrade request let go of. With BENCH_REDIS_URL it has the Redis streams
// adapter, and with BENCH_DATABASE_URL it stores every message before anybody is told.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { claimsOf } from "./tickets.js";
import { adapterFor } from "./streams.js";
import { openStore } from "./store.js";

const http = createServer((request, response) => response.end("alive\n"));
const io = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  adapter: await adapterFor(process.env.BENCH_REDIS_URL),
});
const store = await openStore(process.env.BENCH_DATABASE_URL);

io.engine.on("connection", (rawSocket) => {
  rawSocket.request = null;
});

io.use((socket, next) => {
  try {
    socket.data.user = claimsOf(socket.handshake.auth.ticket).sub;
    next();
  } catch (error) {
    next(error);
  }
});

io.on("connection", (socket) => {
  socket.on("join", (rooms, done) => {
    socket.join(rooms);
    done("joined");
  });
  socket.on("say", async (message, done) => {
    if (store) message.id = await store(message, socket.data.user);
    io.to(message.room).emit("message", message);
    if (done) done("said");
  });
  socket.on("typing", (room) => {
    socket.to(room).volatile.emit("typing", socket.data.user);
  });
});

http.listen({ port: Number(process.env.BENCH_PORT), host: "127.0.0.1", backlog: 4096 });
