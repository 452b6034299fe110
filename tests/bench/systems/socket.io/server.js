// The server of the baseline "socketio": node server.js PORT DSN SCHEMA. It stores each message, then emits it.
"use strict";

const { createServer } = require("node:http");
const { Pool } = require("pg");
const { Server } = require("socket.io");

const [port, dsn, schema] = process.argv.slice(2);
const pool = new Pool({ connectionString: dsn, max: 10 });
const http = createServer();
const io = new Server(http);

// Rooms by user: who connects joins those that they are a member of.
const roomsOf = new Map();

io.on("connection", (socket) => {
  const user = socket.handshake.auth.user;
  socket.join(roomsOf.get(user) ?? []);
  socket.on("create", ({ room, members }, done) => {
    for (const member of members) {
      roomsOf.set(member, [...(roomsOf.get(member) ?? []), room]);
    }
    done({});
  });
  socket.on("send", async ({ room, text }, done) => {
    const { rows } = await pool.query(
      `insert into "${schema}".messages (room, author, text) values ($1, $2, $3) returning id, created`,
      [room, user, text],
    );
    const message = { id: rows[0].id, room, author: user, content: { text }, created: rows[0].created };
    io.to(room).emit("message", message);
    done({ message });
  });
});

async function main() {
  await pool.query(`create schema "${schema}"`);
  await pool.query(
    `create table "${schema}".messages (
       id bigint generated always as identity primary key, room text not null, author text not null,
       text text not null, created timestamptz not null default now())`,
  );
  http.listen(Number(port), "127.0.0.1");
}

main();
