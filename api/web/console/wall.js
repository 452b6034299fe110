// The wall: asks for the figures each second, keeps their history, and shows both.

import { h } from "../view/dom.js";
import { chart } from "./chart.js";
import { header, SPANS, troubles } from "./head.js";
import { History } from "./history.js";
import { judge, Lasting } from "./judge.js";
import { parkedPanel } from "./parked.js";
import { pastPanel } from "./past.js";
import { processPanel } from "./processes.js";
import { shardPanel } from "./shards.js";
import { storePanel } from "./stores.js";
import { tailPanel } from "./tail.js";

const EVERY = 1000;
/** Without figures for so long, in ms, what is shown is called old. */
const OLD = 5000;

const CHARTS = [
  {
    title: "Events",
    unit: "a second",
    sum: true,
    series: ["rooms", "users", "handles"].map((topic) => ({ name: `events.${topic}`, label: topic, kind: topic })),
  },
  {
    title: "Commands",
    unit: "a second",
    series: [
      { name: "commands", label: "decided", kind: "main" },
      { name: "refused", label: "refused", kind: "alert" },
    ],
  },
  { title: "Deliveries", unit: "a second", series: [{ name: "deliveries", label: "to connections", kind: "main" }] },
  {
    title: "Requests, p99",
    unit: "ms",
    least: 10,
    series: [
      { name: "p99", label: "p99", kind: "warm" },
      { name: "p50", label: "p50", kind: "main" },
    ],
  },
  {
    title: "Lag of read models",
    unit: "events",
    least: 10,
    series: [
      { name: "lag.read_models", label: "read models", kind: "main" },
      { name: "lag.feed", label: "feed", kind: "warm" },
    ],
  },
];

export function wall(access) {
  const history = new History();
  const lasting = new Lasting();
  const charts = CHARTS.map(chart);
  const panels = [shardPanel(), processPanel(), storePanel(), parkedPanel(access)];
  const tail = tailPanel(access);
  const past = pastPanel(access);
  const head = header((minutes) => ((span = minutes * 60_000), draw()));
  const faults = troubles();
  let span = SPANS[0] * 60_000;
  let figures = null;
  let heard = 0;
  let timer = null;
  let stopped = false;

  const element = h(
    "main",
    { class: "wall" },
    head.element,
    faults.element,
    h("div", { class: "charts" }, ...charts.map((one) => one.element)),
    ...panels.map((one) => one.element),
    tail.element,
    past.element,
  );

  function draw() {
    if (!figures) return;
    const now = Date.parse(figures.at);
    for (const one of charts) one.update(history.samples, now, span);
  }

  async function look() {
    const began = performance.now();
    try {
      figures = await access.get("/v1/console/figures");
      if (stopped) return;
      heard = Date.now();
      const sample = history.add(figures);
      for (const one of panels) one.update(figures, sample);
      const problems = lasting.of(judge(figures, sample));
      head.update(figures, problems);
      faults.update(problems);
      draw();
    } catch (problem) {
      if (!problem.code) throw problem;
      if (!stopped && Date.now() - heard > OLD) {
        const todo = "This goes on trying. See './klatsch status', or open the console of another process.";
        faults.update([{ bad: true, text: `No figures: ${problem.detail}`, todo }]);
        head.old();
      }
    } finally {
      if (!stopped) timer = setTimeout(look, Math.max(100, EVERY - (performance.now() - began)));
    }
  }

  return {
    element,
    start() {
      heard = Date.now();
      look();
      tail.start();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      tail.stop();
    },
  };
}
