// Drives the unmodified JavaScript SDK: commands as JSON lines on stdin, what happens as JSON lines on stdout.
import { createInterface } from "node:readline";
import WebSocket from "ws";

const options = JSON.parse(process.argv[2]);
const { Centrifuge } = await import(options.protobuf ? "centrifuge/build/protobuf" : "centrifuge");
// Over protobuf the SDK leaves JSON to the app.
const read = (data) => (data instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(data)) : data);
const write = (data) => (options.protobuf ? new TextEncoder().encode(JSON.stringify(data)) : data);
const renewals = [...(options.renewals ?? [])];
const say = (event) => process.stdout.write(JSON.stringify(event) + "\n");

// Each token once, the last one from then on.
const renewal = () => {
  say({ e: "asked" });
  return renewals.length > 1 ? renewals.shift() : renewals[0];
};

// Each place once, the last one from then on.
const states = [...(options.states ?? [])];
const state = () => {
  say({ e: "state" });
  return states.length > 1 ? states.shift() : states[0];
};

const client = new Centrifuge(options.url, {
  websocket: WebSocket,
  token: options.token,
  ...(options.data ? { data: write(options.data) } : {}),
  ...(options.renewals ? { getToken: async () => renewal() } : {}),
  minReconnectDelay: 50,
  maxReconnectDelay: 300,
});

const place = (ctx) => ({
  e: "subscribed",
  recovering: ctx.wasRecovering,
  recovered: ctx.recovered,
  offset: Number(ctx.streamPosition?.offset ?? 0),
  epoch: ctx.streamPosition?.epoch ?? "",
});
const publication = (ctx) => ({ e: "pub", data: read(ctx.data), offset: Number(ctx.offset ?? 0) });

client.on("connected", (ctx) => say({ e: "connected", data: read(ctx.data) }));
client.on("connecting", (ctx) => say({ e: "connecting", code: ctx.code }));
client.on("disconnected", (ctx) => say({ e: "disconnected", code: ctx.code, reason: ctx.reason }));
client.on("error", (ctx) => say({ e: "error", error: ctx.error }));
client.on("subscribed", (ctx) => say(place(ctx)));
client.on("publication", (ctx) => say(publication(ctx)));

if (options.subscribe) {
  const sub = client.newSubscription(options.subscribe, {
    ...(options.since ? { since: options.since } : {}),
    ...(options.states ? { getState: async () => state() } : {}),
    minResubscribeDelay: 50,
  });
  sub.on("subscribed", (ctx) => say(place(ctx)));
  sub.on("publication", (ctx) => say(publication(ctx)));
  sub.on("unsubscribed", (ctx) => say({ e: "unsubscribed", code: ctx.code }));
  sub.subscribe();
}
client.connect();

createInterface({ input: process.stdin }).on("line", async (line) => {
  const command = JSON.parse(line);
  if (command.do === "rpc") {
    try {
      const result = await client.rpc(command.method, write(command.data));
      say({ e: "rpc", id: command.id, data: read(result.data) });
    } catch (error) {
      say({ e: "rpc", id: command.id, error: { code: error.code, message: error.message } });
    }
  } else if (command.do === "read") {
    const { clients } = await client.presence(command.channel);
    const { numClients, numUsers } = await client.presenceStats(command.channel);
    const { publications } = await client.history(command.channel, { limit: 10 });
    const history = publications.map((pub) => read(pub.data).data.text);
    say({ e: "rpc", id: command.id, data: { clients: Object.keys(clients).length, numClients, numUsers, history } });
  } else if (command.do === "send") {
    await client.send(write(command.data));
    say({ e: "rpc", id: command.id, data: null });
  } else if (command.do === "connect") {
    client.connect();
    say({ e: "rpc", id: command.id, data: null });
  } else if (command.do === "stop") {
    client.disconnect();
    process.exit(0);
  }
}).on("close", () => process.exit(0));
