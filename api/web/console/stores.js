// What is stored, and a rebuild of the read models where one is at work.

import { h, keyed, set, text } from "../view/dom.js";
import { termed } from "./explain.js";
import { bytes, count, short } from "./format.js";
import { LOW } from "./judge.js";

const TOPICS = { rooms: "rooms", users: "people (users)", handles: "names (handles)", apps: "applications (apps)" };

const WORDS = {
  folding: "folding the log",
  indexed: "indexes are made; catching up, then the switch",
  old: "kept for switching back",
};

export function storePanel() {
  const list = h("dl", { class: "facts" });
  const tables = h("ul", { class: "tables", "aria-label": "Largest tables" });
  const rebuild = rebuildBar();
  const disks = diskBars();
  return {
    element: h(
      "section",
      { class: "panel", "aria-label": "Stored" },
      h("header", {}, h("h2", {}, "Stored")),
      disks.element,
      rebuild.element,
      list,
      tables,
    ),
    update(figures) {
      rebuild.update(figures);
      disks.update(figures);
      const { shards, stores } = figures;
      const facts = [
        ...Object.entries(records(shards)).map(([topic, end]) => [`events of ${TOPICS[topic] ?? topic}`, count(end)]),
        ["database", bytes(stores?.bytes)],
        ["old months put aside", count(stores?.archived_months)],
      ];
      keyed(
        list,
        facts,
        ([name]) => name,
        ([name]) => h("div", {}, h("dt", {}, name), h("dd", {})),
        (item, [, value]) => text(item.lastChild, value),
      );
      const largest = stores?.tables.slice(0, 6) ?? [];
      const most = Math.max(1, ...largest.map((one) => one.bytes));
      keyed(
        tables,
        largest,
        ({ name }) => name,
        bar,
        (item, one) => {
          set(item.lastChild, "value", one.bytes / most);
          text(item.firstChild.lastChild, `${bytes(one.bytes)}${one.rows ? `, about ${short(one.rows)} rows` : ""}`);
        },
      );
    },
  };
}

function records(shards) {
  const found = {};
  for (const { topic, end } of shards) found[topic] = end === null ? null : (found[topic] ?? 0) + end;
  return found;
}

const bar = ({ name }) =>
  h(
    "li",
    {},
    h("p", {}, h("b", {}, name), " ", h("small", {})),
    h("meter", { min: 0, max: 1, "aria-label": `Share of ${name}` }),
  );

/** Room on the disks, with a mark where it is nearly full. */
function diskBars() {
  const list = h("ul", { class: "disks", "aria-label": "Room on the disks" });
  const unknown = h("p", { class: "none" }, "Room on the disks: not known here, as others run Kafka and Postgres.");
  return {
    element: h("div", {}, unknown, list),
    update({ disks }) {
      unknown.hidden = disks.length > 0;
      keyed(
        list,
        disks,
        ({ folder }) => folder,
        ({ folder }) => {
          const scale = { min: 0, max: 1, low: 1 - LOW, high: 1 - LOW, optimum: 0 };
          const mark = h("i", { "aria-hidden": "true" });
          const meter = h("meter", { ...scale, "aria-label": `Share of the disk of ${folder} that is used` });
          return h("li", {}, h("p", {}, h("b", {}, "disk"), " ", h("small", {})), h("div", {}, meter, mark), h("p", {}));
        },
        (item, { folder, free, total, state }) => {
          set(item, "data-state", state);
          set(item.querySelector("meter"), "value", total ? 1 - free / total : 0);
          text(item.querySelector("small"), `${bytes(free)} of ${bytes(total)} free`);
          text(item.lastChild, folder);
        },
      );
    },
  };
}

/** Progress with rate and remaining time, from how far it was at the looks before. */
function rebuildBar() {
  const progress = h("progress", { max: 1, "aria-label": "Rebuild of the read models" });
  const words = h("p", {});
  const element = h("div", { class: "rebuild", hidden: true }, h("h3", {}, ...termed("rebuild", "Tables made anew")), progress, words);
  let looks = [];
  return {
    element,
    update({ rebuild, shards, at }) {
      element.hidden = !rebuild;
      if (!rebuild) return void (looks = []);
      const ends = shards.filter(({ topic, partition }) => `${topic}/${partition}` in rebuild.places);
      const goal = ends.reduce((sum, { end }) => sum + (end ?? 0), 0);
      const done = Object.values(rebuild.places).reduce((sum, place) => sum + place, 0);
      looks = [...looks.filter((one) => one.at > Date.parse(at) - 10_000), { at: Date.parse(at), done }];
      const seconds = (looks.at(-1).at - looks[0].at) / 1000;
      const rate = seconds ? (done - looks[0].done) / seconds : 0;
      set(progress, "value", goal ? Math.min(1, done / goal) : 1);
      text(words, said(rebuild, done, goal, rate));
    },
  };
}

function said({ model, state, working }, done, goal, rate) {
  const what = `${model === "all" ? "All read models" : `Model ${model}`}: ${WORDS[state] ?? state}`;
  if (!working) return `${what}. Nobody works on it: './klatsch rebuild' goes on from here.`;
  const left = rate > 0 && done < goal ? `, ${Math.ceil((goal - done) / rate)} s to go` : "";
  return `${what}. ${count(done)} of ${count(goal)} events, ${short(Math.round(rate))} a second${left}.`;
}
