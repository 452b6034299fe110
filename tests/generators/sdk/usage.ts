// What an app does first, with a client that openapi-typescript made of the contract. Prints what it read.

import createClient from "openapi-fetch";
import type { components, paths } from "./build/klatsch.js";

type Message = components["schemas"]["Message"];

const client = createClient<paths>({ baseUrl: process.argv[2]! });
const username = process.argv[3]!;
const password = "nanosecond";

// The answer, or the problem document as an error.
function given<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.detail ?? "no answer");
  return answer.data;
}

given(await client.POST("/v1/users", { body: { username, password } }));
const session = given(await client.POST("/v1/sessions", { body: { username, password } }));
const headers = { Authorization: `Bearer ${session.token}` };

const made = given(
  await client.POST("/v1/rooms", {
    headers,
    body: { type: "public", name: "Compilers", settings: { posting: "admins" } },
  }),
);
const path = { room: made.room.id };

const sends: components["schemas"]["SendMessage"][] = [
  { type: "text", content: { text: "Good morning" }, client_id: "c1" },
  { type: "image", content: { url: "https://example.org/a.jpg", alt: "A fox", width: 640 }, client_id: "c2" },
];
for (const body of sends) {
  given(await client.POST("/v1/rooms/{room}/messages", { headers, params: { path }, body }));
}

// Its type says what a message holds; what was deleted holds nothing.
function shown(message: Message): string {
  switch (message.type) {
    case "text":
      return message.content.text ?? "(deleted)";
    case "image":
      return `${message.content.alt ?? ""} ${message.content.width ?? 0}`;
    case "system":
      return message.content.event ?? "(deleted)";
    default:
      return message.type;
  }
}

const page = given(await client.GET("/v1/rooms/{room}/messages", { headers, params: { path, query: { limit: 10 } } }));
const refused = await client.GET("/v1/rooms/{room}", { headers, params: { path: { room: "nowhere" } } });
console.log(
  JSON.stringify({
    posting: made.room.settings.posting,
    texts: page.messages.map(shown),
    refused: refused.error?.type,
  }),
);
