// The processes: roles, health of their parts, load, connections.

import { h, keyed, set, text } from "../view/dom.js";
import { bytes, since } from "./format.js";

export function processPanel() {
  const list = h("ul", { class: "processes" });
  const before = new Map();
  return {
    element: h(
      "section",
      { class: "panel", "aria-label": "Processes" },
      h("header", {}, h("h2", {}, "Processes")),
      list,
    ),
    update({ processes, at }) {
      keyed(
        list,
        processes,
        ({ address }) => address,
        make,
        (item, one) => show(item, one, Date.parse(at), before),
      );
    },
  };
}

function make({ address }) {
  const parts = {
    roles: h("span", { class: "roles" }),
    load: h("p", { class: "load" }),
    health: h("ul", { class: "health" }),
  };
  return Object.assign(h("li", {}, h("p", {}, h("b", {}, address), " ", parts.roles), parts.health, parts.load), {
    parts,
  });
}

function show(item, one, now, before) {
  set(item, "data-state", one.answering ? (Object.values(one.parts).every(({ ok }) => ok) ? "good" : "bad") : "away");
  text(item.parts.roles, one.answering ? one.roles.join(", ") : "not answering");
  const health = one.answering ? Object.entries(one.parts) : [];
  keyed(
    item.parts.health,
    health,
    ([name]) => name,
    ([name]) => h("li", {}, name),
    (part, [name, { ok, state }]) => {
      set(part, "data-ok", ok);
      text(part, ok ? (state === "standby" ? `${name}: standby` : name) : `${name}: ${state ?? "not well"}`);
    },
  );
  text(item.parts.load, one.answering ? load(one, now, before) : one.error);
}

function load(one, now, before) {
  const last = before.get(one.address);
  before.set(one.address, { at: now, cpu: one.cpu, started: one.started });
  const same = last && last.started === one.started && now > last.at;
  const cpu = same ? `${Math.max(0, ((one.cpu - last.cpu) / (now - last.at)) * 100_000).toFixed(0)} % CPU, ` : "";
  const open = Object.entries(one.connections).filter(([, number]) => number);
  const connections = open.map(([transport, number]) => `${transport} ${number}`).join(", ");
  return `${cpu}${bytes(one.memory)}, up ${since(one.started, now)}${connections ? `, connections: ${connections}` : ""}`;
}
