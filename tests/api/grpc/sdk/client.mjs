// A client of S1, of the field's own parts: two people register, talk in a channel, one is cut off, and the channel ends.
// Argument: JSON with `address`, `proto` (a file) and `prefix` of the ids. Prints what happened, a line a step.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const { address, proto, prefix } = JSON.parse(process.argv[2]);
const api = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true, longs: Number, defaults: true }));
const make = (service) => new api[service](address, grpc.credentials.createInsecure());
const users = make("UserService");
const channels = make("ChannelService");
const say = (...words) => process.stdout.write(words.join(" ") + "\n");

const call = (client, method, message, token) =>
  new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    if (token) metadata.set("authorization", `Bearer ${token}`);
    let first;
    const running = client[method](message, metadata, (error, answer) =>
      error ? reject(error) : resolve([answer, first]),
    );
    running.on("metadata", (found) => (first = found));
  });

const listed = (message, token) =>
  new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${token}`);
    const found = [];
    channels.List(message, metadata).on("data", (one) => found.push(one)).on("end", () => resolve(found)).on("error", reject);
  });

async function person(name) {
  const id = `${prefix}-${name}`;
  await call(users, "Register", { user_id: id, password: "correct horse battery", name });
  const [{ token }] = await call(users, "Login", { user_id: id, password: "correct horse battery" });
  return { id, token };
}

// Listen once more as soon as it is let: one may every two seconds.
async function listen(who, id) {
  for (;;) {
    try {
      const [{ server }, metadata] = await call(channels, "Listen", { id }, who.token);
      return { address: server.addr, token: metadata.get("channel-token")[0] };
    } catch (error) {
      if (error.code !== grpc.status.RESOURCE_EXHAUSTED) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function connect(who, id) {
  const place = await listen(who, id);
  const metadata = new grpc.Metadata();
  metadata.set("channel-token", place.token);
  const stream = new api.ChatService(place.address, grpc.credentials.createInsecure()).Connect(metadata);
  const received = [];
  stream.on("data", (message) => received.push(message));
  const ended = new Promise((resolve) => {
    stream.on("error", (error) => resolve(grpc.status[error.code]));
    stream.on("end", () => resolve("OK"));
  });
  await new Promise((resolve, reject) => {
    stream.on("metadata", (found) => (found.get("user-number").length ? resolve() : null));
    stream.on("error", reject);
  });
  return { stream, received, ended };
}

const until = async (holds) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};

const ada = await person("ada");
const bob = await person("bob");
say("registered");
const [one] = await call(channels, "Create", { name: "One", limit: 2 }, ada.token);
const [two] = await call(channels, "Create", { name: "Two", limit: 2 }, ada.token);
say("created", one.name, one.limit, two.id > one.id);
say("listed", (await listed({ id: one.id }, bob.token)).map((found) => found.name).join());
say("all", (await listed({}, ada.token)).filter((found) => [one.id, two.id].includes(found.id)).length);
const first = await connect(ada, one.id);
const second = await connect(bob, one.id);
first.stream.write({ data: Buffer.from("hello"), timestamp: 7 });
await until(() => second.received.length);
say("received", second.received[0].data.toString(), second.received[0].timestamp, second.received[0].user_id > 0);
const third = await connect(bob, two.id);
say("elsewhere", await second.ended);
await call(channels, "Delete", { id: two.id }, ada.token);
say("deleted", await third.ended);
first.stream.end();
say("left", await first.ended);
await call(channels, "Delete", { id: one.id }, ada.token);
say("gone", await listed({ id: one.id }, ada.token).catch((error) => grpc.status[error.code]));
process.exit(0);
