// Who asked me into which room, with the ways to answer.

import { h, keyed, text } from "./dom.js";
import { enterRoom } from "./entering.js";
import { drawPortrait, userName } from "./names.js";
import { tried } from "./toasts.js";

export function invitationList(app) {
  const list = h("ul", { class: "rows", "aria-label": "Invitations" });
  const element = h("section", { class: "invitations" }, h("h2", {}, "Invitations"), list);

  function make({ room }) {
    const accept = () =>
      tried(async () => {
        app.store.learn(await app.api.do("PUT", `/v1/rooms/${room}/members/me`));
        await enterRoom(app, room);
      });
    const decline = () => tried(() => app.api.do("DELETE", `/v1/users/me/invitations/${room}`));
    return h(
      "li",
      { class: "invitation" },
      h("span", { class: "row-picture" }),
      h("strong", { class: "row-title" }),
      h("span", { class: "row-last" }),
      h(
        "span",
        { class: "actions" },
        h("button", { type: "button", class: "primary", onclick: accept }, "Accept"),
        h("button", { type: "button", class: "quiet", onclick: decline }, "Decline"),
      ),
    );
  }

  function draw(item, { by, type, name }) {
    const [picture, title, last] = item.children;
    const direct = type === "direct";
    drawPortrait(app, picture, by);
    text(title, direct ? userName(app, by) : name);
    text(last, direct ? "wants to talk with you" : `${userName(app, by)} invites you`);
  }

  function update() {
    const waiting = Object.values(app.store.state.invitations);
    waiting.sort((a, b) => ([a.created, a.room] < [b.created, b.room] ? 1 : -1));
    element.hidden = !waiting.length;
    keyed(list, waiting, ({ room, version }) => `${room} ${version}`, make, draw);
    return waiting.length;
  }

  return { element, update };
}

/** In words, whom a command has only asked; empty when nobody. */
export function askedWords(app, users) {
  if (!users.length) return "";
  return `${users.map((user) => userName(app, user)).join(", ")}: invited, and here once they accept`;
}
