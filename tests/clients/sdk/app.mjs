// An app of the TypeScript client: commands as JSON lines on stdin, what happens as JSON lines on stdout.
import { createInterface } from "node:readline";
import { KlatschClient, Problem, Unanswered } from "klatsch-client";
import WebSocket from "ws";

const options = JSON.parse(process.argv[2]);
const tokens = [...options.tokens];
const say = (event) => process.stdout.write(JSON.stringify(event) + "\n");

const client = new KlatschClient(options.url, {
  getToken: async () => {
    say({ e: "asked" });
    return tokens.length > 1 ? tokens.shift() : tokens[0];
  },
  ...(options.state ? { state: options.state } : {}),
  websocket: WebSocket,
  onError: (error) => say({ e: "error", text: String(error?.message ?? error) }),
});
client.watch((change) => say({ e: change.what, ...change }));
// Who is online already is told so at once.
client.connect().then(() => client.connect()).then(
  () => say({ e: "connected" }),
  (error) => say({ e: "refused", text: error.message }),
);

function refusal(error) {
  if (error instanceof Problem) {
    const { type, code, status, title, detail, retryAfter } = error;
    return { problem: { type, code, status, title, detail, retry_after: retryAfter ?? null } };
  }
  if (error instanceof Unanswered) return { unanswered: { method: error.method, key: error.key ?? null } };
  throw error;
}

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

createInterface({ input: process.stdin }).on("line", async (line) => {
  const command = JSON.parse(line);
  if (command.do === "rpc") {
    const [group, verb] = command.method.split(".");
    try {
      say({ e: "done", id: command.id, data: (await client.rpc[group][camel(verb)](command.data)) ?? null });
    } catch (error) {
      say({ e: "done", id: command.id, ...refusal(error) });
    }
  } else if (command.do === "members") {
    say({ e: "done", id: command.id, data: await client.members(command.room) });
  } else if (command.do === "state") {
    say({ e: "done", id: command.id, data: client.state });
  } else if (command.do === "stop") {
    client.close();
    process.exit(0);
  }
}).on("close", () => process.exit(0));
