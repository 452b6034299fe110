// Drives the unmodified JavaScript SDK: commands as JSON lines on stdin, what happens as JSON lines on stdout.
import { createInterface } from "node:readline";
import { Centrifuge } from "centrifuge";
import WebSocket from "ws";

const options = JSON.parse(process.argv[2]);
const renewals = [...(options.renewals ?? [])];
const say = (event) => process.stdout.write(JSON.stringify(event) + "\n");

// Each token once, the last one from then on.
const renewal = () => {
  say({ e: "asked" });
  return renewals.length > 1 ? renewals.shift() : renewals[0];
};

const client = new Centrifuge(options.url, {
  websocket: WebSocket,
  token: options.token,
  data: options.data ?? null,
  ...(options.renewals ? { getToken: async () => renewal() } : {}),
  minReconnectDelay: 50,
  maxReconnectDelay: 300,
});

const place = (ctx) => ({
  e: "subscribed",
  recovering: ctx.wasRecovering,
  recovered: ctx.recovered,
  offset: ctx.streamPosition?.offset ?? 0,
  epoch: ctx.streamPosition?.epoch ?? "",
});
const publication = (ctx) => ({ e: "pub", data: ctx.data, offset: ctx.offset });

client.on("connected", (ctx) => say({ e: "connected", data: ctx.data }));
client.on("connecting", (ctx) => say({ e: "connecting", code: ctx.code }));
client.on("disconnected", (ctx) => say({ e: "disconnected", code: ctx.code, reason: ctx.reason }));
client.on("error", (ctx) => say({ e: "error", error: ctx.error }));
client.on("subscribed", (ctx) => say(place(ctx)));
client.on("publication", (ctx) => say(publication(ctx)));

if (options.subscribe) {
  const sub = client.newSubscription(options.subscribe, options.since ? { since: options.since } : {});
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
      const result = await client.rpc(command.method, command.data);
      say({ e: "rpc", id: command.id, data: result.data });
    } catch (error) {
      say({ e: "rpc", id: command.id, error });
    }
  } else if (command.do === "presence") {
    const result = await client.presence(command.channel);
    say({ e: "rpc", id: command.id, data: Object.keys(result.clients).length });
  } else if (command.do === "stop") {
    client.disconnect();
    process.exit(0);
  }
}).on("close", () => process.exit(0));
