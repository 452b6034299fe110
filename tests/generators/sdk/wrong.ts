// What the contract does not admit does not compile: without its error, a line is an error.

import type { components } from "./build/klatsch.js";

type Send = components["schemas"]["SendMessage"];

export const right: Send = { type: "text", content: { text: "Good morning" } };
// @ts-expect-error a text has `text`
export const misspelt: Send = { type: "text", content: { txt: 1 } };
// @ts-expect-error a text is text
export const number: Send = { type: "text", content: { text: 1 } };
// @ts-expect-error an image has a URL
export const image: Send = { type: "image", content: { text: "Good morning" } };
// @ts-expect-error joining is no message that somebody sends
export const join: Send = { type: "join", content: { user: "grace" } };
// @ts-expect-error only members and admins
export const settings: components["schemas"]["RoomSettingsChange"] = { posting: "owner" };
// @ts-expect-error a message that has no type
export const read: components["schemas"]["Message"]["type"] = "poll";
