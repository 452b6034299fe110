// What an app's compiler accepts, and what it does not. Compiled, never run.

import { KlatschClient, Problem, unread } from "klatsch-client";
import type { Change, Delta, Message, Room, State } from "klatsch-client";

const client = new KlatschClient("ws://127.0.0.1:8400/v1/connection", { getToken: async () => "token" });

export async function accepted(room: string): Promise<string> {
  const state: State = await client.connect();
  const { message } = await client.rpc.messages.send({ room, type: "text", content: { text: "Hello" } });
  const made = await client.rpc.rooms.create({ type: "private", name: "Tea", settings: { posting: "admins" } });
  await client.rpc.rooms.archive({ room: made.room.id });
  await client.rpc.members.setRole({ room, user: "x", role: "admin" });
  await client.rpc.presence.set({ room: null });
  const entry = state.rooms[room];
  const count: number = entry ? unread(entry) : 0;
  const type: Room["type"] = made.room.type;
  return `${message.id} ${count} ${type}`;
}

export function narrowed(change: Change): string | number | null {
  if (change.what !== "delta") return null;
  const { delta } = change;
  switch (delta.type) {
    case "message.posted":
      if (delta.data.type === "image") return delta.data.content.url ?? null;
      // @ts-expect-error: only a picture's and a file's
      return delta.data.type === "text" ? delta.data.content.url : delta.data.seq;
    case "member.role_changed":
      return delta.data.role;
    case "room.renamed":
      // @ts-expect-error: another delta's member
      return delta.data.role;
    default:
      return null;
  }
}

export async function refused(room: string): Promise<void> {
  // @ts-expect-error: a member is missing
  await client.rpc.messages.send({ room });
  // @ts-expect-error: what is said is no text
  await client.rpc.messages.send({ room, content: "Hello" });
  // @ts-expect-error: a text has a text
  await client.rpc.messages.send({ room, type: "text", content: { txt: "Hello" } });
  // @ts-expect-error: a picture has an address
  await client.rpc.messages.send({ room, type: "image", content: { text: "Hello" } });
  // @ts-expect-error: no such type of message
  await client.rpc.messages.send({ room, type: "poem", content: { text: "Hello" } });
  // @ts-expect-error: no such parameter
  await client.rpc.messages.send({ room, content: { text: "Hello" }, priority: 1 });
  // @ts-expect-error: no such room
  await client.rpc.rooms.create({ type: "secret", name: "Tea" });
  // @ts-expect-error: no such operation
  await client.rpc.rooms.paint({ room });
  // @ts-expect-error: it answers with a room
  (await client.rpc.rooms.create({ type: "public", name: "Tea" })).message;
  // @ts-expect-error: null until the first snapshot has come
  client.state.rooms;
  // @ts-expect-error: nobody tells of this
  const type: Delta["type"] = "message.painted";
  const message = { id: 1, type };
  // @ts-expect-error: ids are texts
  const wrong: Message = message;
  void wrong;
  try {
    await client.rpc.rooms.get({ room });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // @ts-expect-error: no such code
    if (error.code === "not_fond") return;
    const seconds: number | undefined = error.code === "rate_limited" ? error.retryAfter : undefined;
    void seconds;
  }
}
