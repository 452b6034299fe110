// The processes: roles, health of their parts, load, connections, restarts; of one that is silent what it said last.

import { h, keyed, set, text } from "../view/dom.js";
import { termed } from "./explain.js";
import { bytes, seconds, since, time } from "./format.js";

/** What the parts of a process are, in plain words; the inner word stands in brackets. */
const PARTS = {
  account: "its account",
  faust: "stream worker (Faust)",
  feed: "what people are told (feed)",
  hub: "connections (hub)",
  kafka: "Kafka",
  postgres: "Postgres",
  progress: "getting on (progress)",
  push: "connections (push)",
  read_models: "tables (read models)",
  shards: "deciding (shards)",
  signals: "presence, typing (signals)",
  vault: "passwords (vault)",
};

/** For how long it is told that a process was started again: as `./klatsch status` does. */
const NEWS_MS = 15 * 60_000;

export function processPanel() {
  const list = h("ul", { class: "processes" });
  const before = new Map();
  return {
    element: h(
      "section",
      { class: "panel", "aria-label": "Processes" },
      h("header", {}, h("h2", {}, ...termed("role", "Processes and what they do", "roles"))),
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
    again: h("p", { class: "again" }),
    health: h("ul", { class: "health" }),
  };
  return Object.assign(h("li", {}, h("p", {}, h("b", {}, address), " ", parts.roles), parts.health, parts.load, parts.again), {
    parts,
  });
}

function show(item, one, now, before) {
  const parts = Object.entries(one.parts ?? {});
  const well = parts.every(([, { ok }]) => ok);
  set(item, "data-state", one.answering ? (well ? "good" : "bad") : one.gone ? "gone" : "away");
  text(item.parts.roles, one.roles?.join(", ") ?? "");
  keyed(
    item.parts.health,
    parts,
    ([name]) => name,
    () => h("li", {}),
    (part, [name, { ok, state, error }]) => {
      // What a silent process said last is no news of it.
      set(part, "data-ok", one.answering ? String(ok) : null);
      const called = PARTS[name] ?? name;
      const why = one.answering && !ok ? `: ${state ?? error ?? "not well"}` : "";
      text(part, `${called}${ok && state === "standby" ? ": standby" : why}`);
    },
  );
  text(item.parts.load, one.answering ? load(one, now, before) : silence(one));
  text(item.parts.again, again(one, now));
}

/** That it was started again, for as long as it is news: `ended` has the time at its end. */
function again({ restarts, ended }, now) {
  const at = / at (\S+Z)$/.exec(ended ?? "");
  if (!restarts || (at && now - Date.parse(at[1]) > NEWS_MS)) return "";
  const times = restarts === 1 ? "once" : `${restarts} times`;
  const how = at ? `${ended.slice(0, at.index)}, ${since(at[1], now)} ago (at ${time(at[1])}; told for 15 minutes)` : ended;
  return `started again ${times}; the one before ${how}`;
}

function silence({ error, silent }) {
  return silent === null ? `no word yet: ${error}` : `no word since ${seconds(silent)}: ${error}`;
}

function load(one, now, before) {
  const last = before.get(one.address);
  before.set(one.address, { at: now, cpu: one.cpu, started: one.started });
  const same = last && last.started === one.started && now > last.at;
  const cpu = same ? `${Math.max(0, ((one.cpu - last.cpu) / (now - last.at)) * 100_000).toFixed(0)} % CPU, ` : "";
  const open = Object.entries(one.connections ?? {}).filter(([, number]) => number);
  const connections = open.map(([transport, number]) => `${transport} ${number}`).join(", ");
  return `${cpu}${bytes(one.memory)}, up ${since(one.started, now)}${connections ? `, connections: ${connections}` : ""}`;
}
