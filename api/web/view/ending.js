// What ends a room, for oneself or for all: leaving, archiving, deleting.

import { may } from "../klatsch/permissions.js";
import { confirmed } from "./confirm.js";
import { h, icon, text } from "./dom.js";
import { tried } from "./toasts.js";

export function roomEnd(app, id) {
  const archive = h("button", { type: "button", class: "quiet", onclick: turn });
  const leave = h("button", { type: "button", class: "quiet danger", onclick: goOut }, icon("leave"), "Leave the room");
  const remove = h("button", { type: "button", class: "quiet danger", onclick: erase }, "Delete the room");
  const element = h("div", { class: "actions end" }, archive, leave, remove);

  async function turn() {
    const archived = app.rooms.mine(id).room.state === "archived";
    await tried(async () => {
      app.store.learn(await app.api.do(archived ? "DELETE" : "PUT", `/v1/rooms/${id}/archive`));
    });
  }

  async function goOut() {
    const { room, member } = app.rooms.mine(id);
    const heir = member.role === "owner" && room.members > 1 ? " Somebody else will own it." : "";
    const back = room.type === "public" ? "You can join again." : "To come back, somebody has to let you in.";
    if (!(await confirmed(`Leave ${room.name}?`, `${back}${heir}`, "Leave"))) return;
    await tried(() => app.api.do("DELETE", `/v1/rooms/${id}/members/me`));
  }

  async function erase() {
    const { room } = app.rooms.mine(id);
    const words = "The room and all that was said in it will be gone for all its members.";
    if (!(await confirmed(`Delete ${room.name}?`, words, "Delete for everybody", { typed: room.name }))) return;
    await tried(() => app.api.do("DELETE", `/v1/rooms/${id}`));
  }

  function update(entry) {
    const archived = entry.room.state === "archived";
    archive.hidden = !may(archived ? "UnarchiveRoom" : "ArchiveRoom", entry);
    text(archive, archived ? "Take out of the archive" : "Archive");
    leave.hidden = !may("RemoveMember", entry, { self: true });
    remove.hidden = !may("DeleteRoom", entry);
  }

  return { element, update };
}
