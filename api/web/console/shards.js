// Shards as heat strips, one a topic, and who owns them.

import { h, keyed, set, text } from "../view/dom.js";
import { explain, termed } from "./explain.js";
import { short } from "./format.js";

/** What the topics of the log are about. */
const TOPICS = { rooms: "Rooms", users: "People (users)", handles: "Names that are taken (handles)", apps: "Applications (apps)" };

/** From how many events behind a shard is warm, and hot. */
const HEAT = [50, 2_000];
/** Colours of owners, after which they repeat. */
const COLOURS = 6;

const heat = (lag) => (lag === null ? "unknown" : lag < HEAT[0] ? "cool" : lag < HEAT[1] ? "warm" : "hot");

export function shardPanel() {
  const strips = h("div", { class: "strips" });
  const owners = h("ul", { class: "owners", "aria-label": "Owners of shards" });
  return {
    element: h(
      "section",
      { class: "panel shards", "aria-label": "Shards" },
      h(
        "header",
        {},
        h("h2", {}, ...termed("shard", "Parts of the log", "shards")),
        h(
          "p",
          { class: "key" },
          ...[
            ["owner", "colour: who decides (owner)"],
            ["read models", "read: behind in the tables"],
            ["feed", "feed: behind in what is told"],
            ["term", "term: number of the owner's turn"],
          ].map(([word, label]) => h("span", {}, `${label} `, explain(word))),
        ),
      ),
      strips,
      owners,
    ),
    update({ shards }) {
      const addresses = [...new Set(shards.map(({ owner }) => owner).filter(Boolean))].sort();
      const colours = new Map(addresses.map((address, place) => [address, place % COLOURS]));
      const topics = Map.groupBy ? Map.groupBy(shards, ({ topic }) => topic) : grouped(shards);
      keyed(
        strips,
        [...topics],
        ([topic]) => topic,
        ([topic]) => strip(topic),
        (one, [, cells]) =>
          keyed(
            one.lastChild,
            cells,
            ({ partition }) => String(partition),
            cell,
            (item, shard) => show(item, shard, colours),
          ),
      );
      keyed(
        owners,
        addresses,
        (address) => address,
        owner,
        (item, address) => {
          set(item, "data-owner", colours.get(address));
          text(item.lastChild, `${address}: ${owned(shards, address)}`);
        },
      );
    },
  };
}

function grouped(shards) {
  const found = new Map();
  for (const shard of shards) found.set(shard.topic, [...(found.get(shard.topic) ?? []), shard]);
  return found;
}

/** "rooms 0-7, users 0-3, 6" */
function owned(shards, address) {
  return [...grouped(shards.filter(({ owner }) => owner === address))]
    .map(([topic, found]) => `${topic} ${ranges(found.map(({ partition }) => partition))}`)
    .join(", ");
}

function ranges(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(", ");
}

const owner = () => h("li", {}, h("i", { "aria-hidden": "true" }), h("span", {}));

const strip = (topic) =>
  h("div", { class: "strip" }, h("h3", {}, TOPICS[topic] ?? topic), h("ul", { "aria-label": `Shards of ${topic}` }));

function cell({ partition }) {
  const parts = { end: h("b", {}), models: h("span", {}), feed: h("span", {}), term: h("small", {}) };
  const item = h(
    "li",
    {},
    h("em", {}, String(partition)),
    parts.end,
    h("span", { class: "lags" }, parts.models, parts.feed),
    parts.term,
  );
  return Object.assign(item, { parts });
}

function show(item, { topic, owner: address, end, applied, term, feed_lag: feed }, colours) {
  const models = end === null || applied === null ? null : Math.max(0, end - applied);
  set(item, "data-owner", address ? colours.get(address) : "none");
  text(item.parts.end, short(end));
  for (const [part, sign, lag] of [
    [item.parts.models, "read", models],
    [item.parts.feed, "feed", feed],
  ]) {
    set(part, "data-heat", heat(lag));
    text(part, `${sign} ${short(lag)}`);
  }
  // Names and applications go into no feed.
  item.parts.feed.hidden = topic === "handles" || topic === "apps";
  text(item.parts.term, `term ${short(term)}`);
}
