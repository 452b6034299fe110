// People: friends, those who hold me for a friend, and those whom I block. And the card of one person.

import { arrows } from "./arrows.js";
import { dialog } from "./dialog.js";
import { fill, h, icon, keyed, text } from "./dom.js";
import { enterRoom } from "./entering.js";
import { face, modelOf } from "./face.js";
import { at, drawPortrait } from "./names.js";
import { presenceWords, statusOf } from "./presence.js";
import { tried } from "./toasts.js";

export function peopleList(app) {
  const friends = section("Friends", "Nobody yet. Find people by name above.");
  const admirers = section("Added you", null);
  const blocked = section("Blocked", null);
  const element = h("div", { class: "list" }, friends.element, admirers.element, blocked.element);

  function section(title, nobody) {
    const list = arrows(h("ul", { class: "rows", "aria-label": title }));
    const none = nobody ? h("p", { class: "hint" }, nobody) : null;
    const element = h("section", {}, h("h2", {}, title), list, none);
    const update = (ids) => {
      element.hidden = !ids.length && !nobody;
      ids = onlineFirst(app, ids);
      if (none) none.hidden = ids.length > 0;
      keyed(
        list,
        ids,
        (id) => id,
        () => personRow(app),
        (item, id) => drawPerson(app, item, app.lookups.user(id), id),
      );
    };
    return { element, update };
  }

  function update() {
    const { relationships, friendOf } = app.store.state;
    const mine = (type) =>
      Object.values(relationships)
        .filter((one) => one.type === type)
        .map((one) => one.other);
    friends.update(mine("friend"));
    admirers.update(
      Object.values(friendOf)
        .filter((one) => one.type === "friend" && !relationships[one.user]?.type)
        .map((one) => one.user),
    );
    blocked.update(mine("block"));
  }

  return { element, update };
}

/** A row that opens a person's card; `drawPerson` fills it. */
export function personRow(app) {
  const row = h(
    "button",
    { type: "button", class: "row person", onclick: () => openPerson(app, row.dataset.user) },
    h("span", { class: "row-picture" }),
    h("span", { class: "row-title" }),
    h("span", { class: "row-last" }),
  );
  return h("li", {}, row);
}

export function drawPerson(app, item, user, id = user?.id) {
  const row = item.firstChild;
  const [picture, title, last] = row.children;
  row.dataset.user = id;
  drawPortrait(app, picture, id);
  text(title, user?.name ?? "Somebody you cannot see");
  text(last, [at(user), relation(app, id)].filter(Boolean).join(" · "));
}

/** Ids, those who are online first, then those who are away; otherwise in their order. */
export function onlineFirst(app, ids) {
  const rank = { online: 0, away: 1, offline: 2 };
  return [...ids].sort((a, b) => rank[statusOf(app, a)] - rank[statusOf(app, b)]);
}

/** What a person is to me, in words. */
export function relation(app, id) {
  const { relationships, friendOf } = app.store.state;
  const mine = relationships[id]?.type;
  if (mine === "block") return "blocked";
  const theirs = friendOf[id]?.type === "friend";
  if (mine === "friend") return theirs ? "friends" : "your friend";
  return theirs ? "added you" : "";
}

export function openPerson(app, id) {
  const portrait = h("div", { class: "card-face" });
  const facts = h("p", { class: "card-facts" });
  const actions = h("div", { class: "actions" });
  const box = dialog("Person", (close) => {
    const message = h(
      "button",
      { type: "button", class: "primary", onclick: () => talk(close) },
      icon("chat"),
      "Message",
    );
    const befriend = h("button", { type: "button", class: "quiet", onclick: () => relate("friend") });
    const block = h("button", { type: "button", class: "quiet danger", onclick: () => relate("block") });
    actions.append(message, befriend, block);
    return [portrait, facts, actions];
  });
  box.classList.add("person-card");

  async function talk(close) {
    await tried(async () => {
      const { room } = await app.api.do("POST", "/v1/rooms", { type: "direct", members: [id] });
      await enterRoom(app, room.id);
      close();
    });
  }

  /** The same again takes it back. */
  async function relate(type) {
    const now = app.store.state.relationships[id]?.type;
    await tried(async () => {
      const next = now === type ? null : type;
      app.store.learn(await app.api.do("PUT", `/v1/users/me/relationships/${id}`, { type: next }));
    });
  }

  function update() {
    const user = app.lookups.user(id);
    const mine = app.store.state.relationships[id]?.type;
    text(box.querySelector("h2"), user?.name ?? "Somebody you cannot see");
    fill(portrait, face(modelOf(user, app.lookups.visual(user))));
    const present = id === app.user ? "" : presenceWords(app, id);
    text(facts, [at(user), present, relation(app, id)].filter(Boolean).join(" · "));
    const [message, befriend, block] = actions.children;
    actions.hidden = id === app.user;
    message.hidden = mine === "block";
    befriend.hidden = mine === "block";
    fill(befriend, icon(mine === "friend" ? "check" : "friend"), mine === "friend" ? "Friend" : "Add friend");
    befriend.setAttribute("aria-pressed", String(mine === "friend"));
    block.textContent = mine === "block" ? "Unblock" : "Block";
  }

  box.addEventListener("close", app.store.watch(update));
  update();
}
