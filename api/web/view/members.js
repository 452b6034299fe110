// The members of a room, with their roles, and what one may do with each.

import { may } from "../klatsch/permissions.js";
import { NAMED } from "../klatsch/signals.js";
import { confirmed } from "./confirm.js";
import { h, icon, iconButton, keyed, text } from "./dom.js";
import { userName } from "./names.js";
import { drawPerson, onlineFirst, personRow } from "./people.js";
import { menu } from "./popover.js";
import { tried } from "./toasts.js";

const ROLES = { owner: 0, admin: 1, member: 2 };

export function memberList(app, id) {
  const element = h("ul", { class: "rows", "aria-label": "Members" });

  function row() {
    const item = personRow(app);
    const role = h("span", { class: "role", hidden: true });
    const more = iconButton("dots", "Member", () => memberMenu(app, id, more.dataset.user, more), {
      "aria-haspopup": "menu",
    });
    item.append(role, more);
    return item;
  }

  function update(entry) {
    const members = app.lookups.members(id) ?? {};
    // Nobody tells who is there in a large room: it is asked for, of those who are listed.
    if (entry.room.members > NAMED) for (const user of Object.keys(members)) app.signals.of(user, { ask: true });
    const byRole = Object.values(members)
      .sort((a, b) => ROLES[a.role] - ROLES[b.role] || ([a.joined, a.user] < [b.joined, b.user] ? -1 : 1))
      .map((member) => member.user);
    keyed(
      element,
      onlineFirst(app, byRole),
      (user) => user,
      row,
      (item, user) => draw(entry, item, members[user]),
    );
  }

  function draw(entry, item, { user, role }) {
    const [, tag, more] = item.children;
    drawPerson(app, item, app.lookups.user(user), user);
    if (user === app.user) item.querySelector(".row-title").append(" (you)");
    tag.hidden = role === "member";
    if (tag.dataset.role !== role) tag.replaceChildren(role === "owner" ? icon("crown") : "", role);
    tag.dataset.role = role;
    more.dataset.user = user;
    const label = `What to do with ${userName(app, user)}`;
    more.hidden = !memberDeeds(app, entry, { user, role }).length;
    more.setAttribute("aria-label", label);
    more.title = label;
  }

  return { element, update };
}

function memberMenu(app, id, user, anchor) {
  const entry = app.rooms.mine(id);
  const member = app.store.state.members[id]?.[user];
  if (!entry || !member) return;
  menu(anchor, userName(app, user), memberDeeds(app, entry, member));
}

/** What the table of permissions lets me do with another member, as entries of a menu. */
function memberDeeds(app, entry, { user, role }) {
  if (user === app.user) return [];
  const { id, name } = entry.room;
  const who = userName(app, user);
  const give = (to) =>
    tried(async () => app.store.learn(await app.api.do("PUT", `/v1/rooms/${id}/members/${user}/role`, { role: to })));
  const deeds = [];
  if (may("ChangeRole", entry) && role === "member") deeds.push({ label: "Make an admin", run: () => give("admin") });
  if (may("ChangeRole", entry) && role === "admin")
    deeds.push({ label: "Take the admin role back", run: () => give("member") });
  if (may("TransferOwnership", entry)) {
    const words = `${who} will own ${name}, and you will be an admin. Only ${who} can give it back.`;
    const pass = async () => (await confirmed(`Pass the room on to ${who}?`, words, "Pass it on")) && give("owner");
    deeds.push({ label: "Pass the room on", run: pass });
  }
  if (may("RemoveMember", entry, { role })) {
    const out = async () => {
      const sure = await confirmed(`Remove ${who}?`, `${who} will no longer be in ${name}.`, "Remove");
      if (sure) await tried(() => app.api.do("DELETE", `/v1/rooms/${id}/members/${user}`));
    };
    deeds.push({ label: "Remove from the room", danger: true, run: out });
  }
  return deeds;
}
