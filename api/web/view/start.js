// Where a room begins: what it is, and what to do first. Shown until somebody has said something.

import { may } from "../klatsch/permissions.js";
import { h, text } from "./dom.js";
import { roomName } from "./names.js";
import { NOTICES } from "./notices.js";
import { openRoom } from "./room.js";

const WHO = {
  public: "Anybody finds it and may join.",
  private: "Only its members see it, and let others in.",
  direct: "Only the two of you see what is said here.",
};

export function roomStart(app) {
  let room = null;
  const title = h("h2", {});
  const words = h("p", {});
  const about = h("p", { class: "start-about" });
  const button = (label, goal) =>
    h("button", { type: "button", class: "quiet", onclick: () => openRoom(app, room, goal) }, label);
  const add = button("Add people", "people");
  const describe = button("Describe the room", "description");
  const element = h(
    "section",
    { class: "start", "aria-label": "The start of the room", hidden: true },
    title,
    words,
    about,
    h("div", { class: "actions" }, add, describe),
  );

  /** `all`: every message of the room, or null when there are others. */
  function update(entry, all) {
    element.hidden = !all || all.some(({ type }) => !NOTICES.has(type));
    if (element.hidden) return;
    room = entry.room.id;
    const { type, description } = entry.room;
    text(title, `This is the start of ${roomName(app, entry.room)}`);
    text(words, WHO[type]);
    text(about, description ?? "");
    about.hidden = !description;
    add.hidden = type === "direct" || !may("AddMember", entry);
    describe.hidden = type === "direct" || Boolean(description) || !may("ChangeRoom", entry);
  }

  return { element, update };
}
