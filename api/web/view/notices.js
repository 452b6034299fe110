// What a room says by itself: who came, who went, who has another role.

import { userName } from "./names.js";

/** The types of messages that no member wrote. */
export const NOTICES = new Set(["join", "leave", "system"]);

/** A notice in words, from the point of view of who reads it. */
export function noticeWords(app, { type, author, content }) {
  const own = author === content.user;
  const [who, whom] = [subject(app, author), object(app, content.user)];
  const they = subject(app, content.user);
  if (type === "join") return own ? `${they} joined` : `${who} let ${whom} in`;
  if (type === "leave") return own ? `${they} left` : `${who} removed ${whom}`;
  if (content.event !== "role_changed") return "Something about the room changed";
  if (content.role === "owner") return content.user === app.user ? "You now own the room" : `${they} now owns the room`;
  if (content.role === "admin") return own ? `${they} became an admin` : `${who} made ${whom} an admin`;
  return own ? `${they} became a member` : `${who} made ${whom} a member again`;
}

const subject = (app, id) => (id === app.user ? "You" : userName(app, id));
const object = (app, id) => (id === app.user ? "you" : userName(app, id));
