// The details of a room: what it is for, how it is run, who is in it, and what one may do with it.

import { may } from "../klatsch/permissions.js";
import { dialog } from "./dialog.js";
import { h, icon, text } from "./dom.js";
import { roomEnd } from "./ending.js";
import {
  descriptionInput,
  field,
  fieldError,
  nameInput,
  settingsFields,
  settingsWords,
  toggle,
  topicLineInput,
} from "./fields.js";
import { count } from "./format.js";
import { askedWords } from "./invitations.js";
import { memberList } from "./members.js";
import { peoplePicker } from "./picker.js";
import { toast, tried } from "./toasts.js";

/** `goal`: what one came for, "people" to add or the "description" to write. */
export function openRoom(app, id, goal = null) {
  const parts = [aboutRoom(app, id), notifications(app, id), people(app, id), roomEnd(app, id)];
  const box = dialog("Room", () => parts.map((part) => part.element));
  box.classList.add("room-card");

  function update() {
    const entry = app.rooms.mine(id);
    if (!entry) return box.close();
    text(box.querySelector("h2"), entry.room.name);
    for (const part of parts) part.update(entry);
  }

  const unwatch = app.store.watch(update);
  box.addEventListener("close", () => {
    unwatch();
    for (const part of parts) part.stop?.();
  });
  update();
  parts.find((part) => goal && part.goal === goal)?.begin();
}

/** What the room is for: to read, and for those who may, to change. */
function aboutRoom(app, id) {
  const { room } = app.rooms.mine(id);
  const name = nameInput("details-name", room.name);
  const description = descriptionInput("details-description", room.description);
  const topicLine = topicLineInput("details-topic-line", room.topic_line);
  const settings = settingsFields("details", room.settings);
  const save = h("button", { class: "primary", type: "submit" }, "Save");
  const form = h(
    "form",
    { class: "about-form", onsubmit: submit },
    field("Name", name),
    field("Description", description),
    field("Topic line", topicLine, "What it is about today, in one line"),
    settings.element,
    h("div", { class: "actions end" }, h("button", { type: "button", class: "quiet", onclick: leave }, "Cancel"), save),
  );
  const change = h("button", { type: "button", class: "quiet", onclick: open }, icon("edit"), "Change");
  const facts = h("p", { class: "room-facts" });
  const line = h("p", { class: "room-topic-line" });
  const words = h("p", { class: "room-about" });
  const rules = h("p", { class: "hint" });
  const shown = h("div", { class: "about" }, line, words, facts, rules, change);
  const element = h("section", {}, shown, form);
  let changing = false;

  function open() {
    const now = app.rooms.mine(id).room;
    [name.value, description.value, topicLine.value] = [now.name, now.description ?? "", now.topic_line ?? ""];
    settings.show(now.settings);
    changing = true;
    update(app.rooms.mine(id));
    name.focus();
  }

  function leave() {
    changing = false;
    const entry = app.rooms.mine(id);
    if (!entry) return;
    update(entry);
    change.focus();
  }

  async function submit(event) {
    event.preventDefault();
    const now = {
      name: name.value.trim(),
      description: description.value.trim() || null,
      topic_line: topicLine.value.trim() || null,
      settings: settings.values(),
    };
    try {
      app.store.learn(await app.api.do("PATCH", `/v1/rooms/${id}`, now));
      leave();
    } catch (problem) {
      if (!fieldError(problem, { name, description, topic_line: topicLine })) toast(problem);
    }
  }

  function update(entry) {
    const allowed = may("ChangeRoom", entry);
    form.hidden = !(changing && allowed);
    shown.hidden = !form.hidden;
    change.hidden = !allowed;
    const { room } = entry;
    text(line, room.topic_line ?? "");
    line.hidden = !room.topic_line;
    text(words, room.description ?? "");
    words.hidden = !room.description;
    const state = room.state === "archived" ? ", archived" : "";
    text(facts, `${room.type === "public" ? "Public" : "Private"} room${state}, ${count(room.members, "member")}`);
    text(rules, `${settingsWords(room.settings)}.`);
  }

  const begin = () => (open(), description.focus());
  return { element, update, goal: "description", begin };
}

function notifications(app, id) {
  const one = toggle("details-mine", "Notify me of messages", app.rooms.mine(id).member.notifications, save);

  async function save() {
    const chosen = { notifications: one.input.checked };
    await tried(async () => app.store.learn(await app.api.do("PUT", `/v1/rooms/${id}/notifications`, chosen)));
    app.store.changed();
  }

  const update = ({ member }) => (one.input.checked = member.notifications);
  return { element: one.element, update };
}

/** The members, and letting others in. */
function people(app, id) {
  const heading = h("h3", {});
  const members = memberList(app, id);
  const more = h(
    "button",
    { type: "button", class: "quiet", onclick: () => app.lookups.moreMembers(id) },
    "More members",
  );
  const adding = peoplePicker(app, "Add people", (user) => app.store.state.members[id]?.[user]);
  const add = h("button", { type: "button", class: "quiet", onclick: addThem }, icon("plus"), "Add to the room");
  const element = h("section", {}, heading, members.element, more, adding.element, add);

  async function addThem() {
    await tried(async () => {
      const asked = [];
      for (const user of adding.chosen()) {
        const answer = await addOne(user);
        app.store.learn(answer);
        if (answer?.invitation) asked.push(user);
      }
      adding.clear();
      if (asked.length) toast(askedWords(app, asked));
    });
  }

  /** Null where they have declined: that is no reason against the others. */
  async function addOne(user) {
    try {
      return await app.api.do("PUT", `/v1/rooms/${id}/members/${user}`);
    } catch (problem) {
      if (problem.code !== "declined") throw problem;
      adding.refused(problem);
      toast(problem);
      return null;
    }
  }

  function update(entry) {
    const online = app.signals.online(entry.room, app.lookups.members(id));
    const present = online === null ? "" : `, ${online} online`;
    text(heading, `${count(entry.room.members, "member")}${present}`);
    members.update(entry);
    more.hidden = !app.lookups.hasMoreMembers(id);
    adding.element.hidden = !may("AddMember", entry);
    add.hidden = adding.element.hidden || !adding.chosen().length;
  }

  return { element, update, stop: adding.stop, goal: "people", begin: adding.focus };
}
