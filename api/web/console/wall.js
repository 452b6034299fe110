// The wall: asks for the figures each second, keeps their history, and shows both.

import { h, set } from "../view/dom.js";
import { charts as makeCharts } from "./charts.js";
import { wordPanel } from "./explain.js";
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
/** Without figures for so long, in ms, all that is shown is called old: some looks were missed. */
const OLD = 4000;

export function wall(access) {
  const history = new History();
  const lasting = new Lasting();
  const charts = makeCharts();
  const panels = [shardPanel(), processPanel(), storePanel(), parkedPanel(access)];
  const tail = tailPanel(access);
  const past = pastPanel(access);
  const head = header((minutes) => ((span = minutes * 60_000), draw()));
  const faults = troubles();
  let span = SPANS[0] * 60_000;
  let figures = null;
  let received = 0;
  let why = "";
  let timer = null;
  let watching = null;
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
    wordPanel().element,
  );

  const silent = () => Date.now() - received;

  function draw() {
    if (!figures) return;
    // The server's clock, and how long ago it told it.
    const now = Date.parse(figures.at) + silent();
    for (const one of charts) one.update(history.samples, now, span, silent() > OLD);
  }

  async function look() {
    const began = performance.now();
    try {
      figures = await access.get("/v1/console/figures");
      if (stopped) return;
      received = Date.now();
      why = "";
      history.add(figures.sample);
      set(element, "data-old", false);
      for (const one of panels) one.update(figures);
      const problems = lasting.of(judge(figures));
      head.update(figures, problems);
      faults.update(problems);
      draw();
    } catch (problem) {
      if (!problem.code) throw problem;
      why = problem.detail;
    } finally {
      if (!stopped) timer = setTimeout(look, Math.max(100, EVERY - (performance.now() - began)));
    }
  }

  /** Beside the looks: a server that hangs answers none of them. */
  function watch() {
    if (silent() <= OLD) return;
    const todo = "This goes on trying. See './klatsch status', or open the console of another process.";
    const text = `No figures${figures ? " since the time above" : ""}: ${why || "the server does not answer"}`;
    faults.update([{ bad: true, text: text.replace(/\.*$/, "."), todo }]);
    set(element, "data-old", true);
    head.old(figures, silent());
    draw();
  }

  async function remember() {
    try {
      history.begin((await access.get("/v1/console/history")).samples);
      draw();
    } catch (problem) {
      // The charts then begin with the page.
      if (!problem.code) throw problem;
    }
  }

  return {
    element,
    start() {
      received = Date.now();
      remember();
      look();
      watching = setInterval(watch, EVERY);
      tail.start();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearInterval(watching);
      tail.stop();
    },
  };
}
