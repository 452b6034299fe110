// A log-in that several tabs of one browser share: a new tab asks the open ones, which answer who is logged in there. The
// token goes from tab to tab and is stored nowhere else, so that it still ends with the last of them; and a tab whose user
// wants to be somebody else goes its own way.

import { ofApp } from "./application.js";

const CHANNEL = ofApp("klatsch.sessions");

/** Answers other tabs with `session()`: `{ token, user, expires, name }`. Returns how to stop. */
export function answerTabs(session) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => data === "who" && channel.postMessage(session());
  return () => channel.close();
}

/** Asks the other tabs; `found(session)` is called for each user that is logged in somewhere, once. Returns how to stop. */
export function askTabs(found) {
  const channel = new BroadcastChannel(CHANNEL);
  const known = new Set();
  channel.onmessage = ({ data }) => {
    if (data === "who" || known.has(data.user) || Date.parse(data.expires) <= Date.now()) return;
    known.add(data.user);
    found(data);
  };
  channel.postMessage("who");
  return () => channel.close();
}
