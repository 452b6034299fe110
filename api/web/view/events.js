// One event of the history: its type, time and position, what it says in a few words, and all of it when it is opened.

import { ROOM_CHANGES } from "../klatsch/contract.js";
import { h, text } from "./dom.js";
import { exactTime, summary, wholeTime } from "./format.js";
import { userName } from "./names.js";

/** How long an event counts as fresh, in ms. */
const FRESH = 1500;

/** What an event says in a few words. `name(id)` gives a person's name. */
const GIST = {
  "user.profile_changed": ({ data }) => data.name ?? "data",
  "relationship.set": ({ data }, name) => `${data.type ?? "neither"}: ${name(data.other)}`,
  "room.created": ({ data }) => data.name || `${data.type} chat`,
  ...Object.fromEntries(ROOM_CHANGES.map((type) => [type, saidOfRoom])),
  "room.settings_changed": ({ data }) =>
    Object.entries(data.settings)
      .map((pair) => pair.join(": "))
      .join(", "),
  "member.joined": ({ data }, name) => `${name(data.user)}, ${data.role}`,
  "member.left": ({ data }, name) => name(data.user),
  "member.invited": ({ data }, name) => name(data.user),
  "invitation.declined": ({ data }, name) => name(data.user),
  "invitation.withdrawn": ({ data }, name) => name(data.user),
  "user.added_by_chosen": ({ data }) => data.added_by ?? "as the installation has it",
  "member.role_changed": ({ data }, name) => `${name(data.user)}, ${data.role}`,
  "member.read": ({ data }) => `up to #${data.seq}`,
  "member.notifications_set": ({ data }) => (data.notifications ? "notified" : "not notified"),
  "member.custom_changed": ({ data }, name) => name(data.user),
  "message.posted": ({ data }) => `#${data.seq} ${summary(data, "")}`,
  "message.edited": ({ data }) => data.content.text ?? "",
  "message.emotion_detected": ({ data }) => data.emotion ?? "not shown",
};

/** The texts that an event sets of its room, or that there are none now. */
function saidOfRoom({ data }) {
  const texts = Object.entries(data).filter(([, value]) => value === null || typeof value === "string");
  return texts.map(([field, value]) => value ?? `no ${field.replaceAll("_", " ")}`).join(", ");
}

export function makeEvent(event) {
  const { type, position, time } = event;
  const who = h("span", { class: "event-actor" });
  const unfold = () => details.open && !details.querySelector("pre") && details.append(json());
  const json = () => h("pre", {}, JSON.stringify(event, null, 2));
  const details = h(
    "details",
    { ontoggle: unfold },
    h(
      "summary",
      {},
      h("span", { class: "event-type" }, type),
      h("time", { datetime: time, title: wholeTime(time) }, exactTime(time)),
      who,
      h("code", { class: "event-position" }, position),
    ),
  );
  const item = h("li", { class: "event" }, details);
  item.dataset.kind = type.split(".")[0];
  item.dataset.position = position;
  if (Date.now() - Date.parse(time) < FRESH) {
    item.classList.add("fresh");
    setTimeout(() => item.classList.remove("fresh"), FRESH);
  }
  return item;
}

/** `wanted`: the id of the message whose event is looked for, or null. */
export function drawEvent(app, item, event, wanted) {
  const name = (id) => (id === app.user ? "you" : userName(app, id));
  const gist = GIST[event.type]?.(event, name);
  const words = [name(event.actor), gist].filter(Boolean);
  // Of what a service finds, the finding says more than the service's name.
  if (event.type === "message.emotion_detected") words.reverse();
  text(item.querySelector(".event-actor"), words.join(" · "));
  item.classList.toggle(
    "wanted",
    wanted !== null && event.type === "message.posted" && event.data.message === wanted,
  );
}
