// The time slider: a room as it was after any of its events.

import { fill, h, keyed, set, text } from "../view/dom.js";
import { brief, count, plural, whenever } from "./format.js";

/** Pause after a key before rooms are looked for, in ms. */
const TYPING = 250;
/** Pause between two events while it plays, in ms. */
const STEP = 120;

export function pastPanel(access) {
  const picker = h("select", { "aria-label": "Room", onchange: () => choose(picker.value) });
  const search = h("input", {
    type: "search",
    placeholder: "name or id",
    "aria-label": "Find a room",
    spellcheck: "false",
    oninput: () => find(),
  });
  const slider = h("input", {
    type: "range",
    min: 1,
    max: 1,
    value: 1,
    "aria-label": "Events of the room",
    disabled: true,
    oninput: () => go({ number: slider.value }),
  });
  const play = h(
    "button",
    { type: "button", disabled: true, "aria-pressed": "false", onclick: () => (timer ? rest() : run()) },
    "Play",
  );
  const moment = h("input", {
    name: "at",
    placeholder: "time or offset",
    "aria-label": "Go to a time or an offset",
    spellcheck: "false",
  });
  const said = h("p", { class: "said", role: "status" });
  const view = roomView();
  let room = null;
  let typing = null;
  let timer = null;
  let wanted = null;
  let asking = false;

  function find() {
    clearTimeout(typing);
    typing = setTimeout(async () => {
      try {
        const { rooms } = await access.get("/v1/console/rooms", { name: search.value.trim() });
        const options = rooms.map((one) => h("option", { value: one.id }, label(one, rooms)));
        fill(
          picker,
          h("option", { value: "" }, rooms.length ? plural(rooms.length, "room") : "No room of this name"),
          ...options,
        );
        const [only] = rooms;
        if (rooms.length === 1) choose((picker.value = only.id));
        else if (!room && rooms.length) text(said, "Choose a room above, then drag through all that happened there.");
      } catch (problem) {
        text(said, problem.detail ?? problem.message);
      }
    }, TYPING);
  }

  function choose(id) {
    rest();
    room = id || null;
    view.element.hidden = !room;
    if (room) go({});
  }

  /** Shows the latest place that was asked for; those that were passed over while dragging are never fetched. */
  async function go(place) {
    wanted = { room, place };
    if (asking) return;
    asking = true;
    while (wanted) {
      const now = wanted;
      wanted = null;
      try {
        show(await access.get(`/v1/console/rooms/${encodeURIComponent(now.room)}`, now.place), now.room, now.place);
        text(said, "");
      } catch (problem) {
        rest();
        text(said, problem.detail ?? problem.message);
      }
    }
    asking = false;
  }

  function show(found, id, place) {
    if (id !== room) return;
    set(slider, "max", found.count);
    // While somebody drags, the handle is where they hold it.
    if (!("number" in place)) slider.value = found.number;
    slider.disabled = play.disabled = found.count < 2;
    set(slider, "aria-valuetext", `event ${found.number} of ${found.count}, ${whenever(found.event.time)}`);
    view.update(found);
  }

  function run() {
    if (Number(slider.value) >= Number(slider.max)) slider.value = 1;
    timer = setInterval(() => {
      if (asking) return;
      if (Number(slider.value) >= Number(slider.max)) return rest();
      slider.value = Number(slider.value) + 1;
      go({ number: slider.value });
    }, STEP);
    set(play, "aria-pressed", true);
    text(play, "Stop");
  }

  function rest() {
    clearInterval(timer);
    timer = null;
    set(play, "aria-pressed", false);
    text(play, "Play");
  }

  function jump(event) {
    event.preventDefault();
    rest();
    const given = moment.value.trim();
    if (room && given) go({ at: /^\d+$/.test(given) ? given : asTime(given) });
  }

  find();
  return {
    element: h(
      "section",
      { class: "panel past", "aria-label": "A room in time" },
      h("header", {}, h("h2", {}, "A room in time"), h("div", { class: "filters" }, search, picker)),
      h("form", { class: "slide", onsubmit: jump }, play, slider, moment, h("button", { type: "submit" }, "Go")),
      said,
      view.element,
    ),
  };
}

/** What people type as a time, as the server takes it; what is none goes as it is, and is refused with a reason. */
function asTime(given) {
  const found = new Date(given);
  return Number.isNaN(found.getTime()) ? given : found.toISOString();
}

/** "Tea (public, 3 members)", with the state where it is no usual one, and a short id where another is called so. */
function label({ id, name, type, members, state }, rooms) {
  const twins = rooms.filter((one) => one.name.toLowerCase() === name.toLowerCase()).length > 1;
  const marks = [type, plural(members, "member"), state === "active" ? "" : state, name && twins ? brief(id) : ""];
  return `${name || brief(id)} (${marks.filter(Boolean).join(", ")})`;
}

function roomView() {
  const title = h("h3", {});
  const about = h("p", {});
  const place = h("p", { class: "place" });
  const members = h("ul", { class: "members", "aria-label": "Members then" });
  const messages = h("ol", { class: "messages", tabindex: "0", "aria-label": "Messages then" });
  return {
    element: h("div", { class: "room", hidden: true }, place, title, about, members, messages),
    update({ room, members: inside, messages: found, names, number, count: all, event, position }) {
      const name = (id) => names[id] ?? brief(id);
      text(
        place,
        `After event ${count(number)} of ${count(all)}: ${event.type} by ${name(event.actor)}, ${whenever(event.time)}, ${position}`,
      );
      text(title, room ? room.name || "A direct room" : "Not made yet");
      text(
        about,
        room
          ? `${room.type}, ${room.state}, ${plural(room.members, "member")}, ${plural(room.seq, "message")}${room.description ? `. ${room.description}` : ""}`
          : "",
      );
      keyed(
        members,
        inside,
        ({ user }) => user,
        () => h("li", {}),
        (item, one) => {
          set(item, "data-role", one.role);
          text(item, one.role === "member" ? name(one.user) : `${name(one.user)}, ${one.role}`);
        },
      );
      keyed(
        messages,
        found,
        ({ id }) => id,
        () => h("li", {}, h("b", {}), " ", h("span", {}), " ", h("small", {})),
        (item, one) => {
          const [author, , body, , marks] = item.childNodes;
          set(item, "data-type", one.deleted ? "deleted" : one.type);
          text(author, `${one.seq} ${name(one.author)}`);
          text(body, saying(one, name));
          text(
            marks,
            [one.edited && !one.deleted ? "edited" : "", one.deleted ? "deleted" : ""].filter(Boolean).join(", "),
          );
        },
      );
      messages.scrollTop = messages.scrollHeight;
    },
  };
}

function saying({ type, content, deleted }, name) {
  if (deleted) return "";
  if (type === "join") return `${name(content.user)} is in the room`;
  if (type === "leave") return `${name(content.user)} has left`;
  if (type === "system") return `${name(content.user)}: ${content.event} ${content.role ?? ""}`;
  return content.text ?? content.alt ?? content.name ?? JSON.stringify(content);
}
