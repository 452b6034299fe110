// What stands above all: the state in a word, what is wrong, who is there, the time.

import { h, keyed, set, text } from "../view/dom.js";
import { count, plural, time } from "./format.js";
import { sameness } from "./judge.js";

/** Minutes that the charts can show; the first at the start. */
export const SPANS = [15, 5];

/** `onSpan(minutes)`: the charts are to show so much. */
export function header(onSpan) {
  const state = h("p", { class: "state", "data-state": "wait" }, "Asking…");
  const name = h("span", { class: "installation" }, "");
  const clock = h("time", {}, "");
  const people = h("p", { class: "people" }, "");
  const spans = SPANS.map((minutes, index) =>
    h(
      "label",
      {},
      h("input", {
        type: "radio",
        name: "span",
        value: minutes,
        checked: index === 0,
        onchange: () => onSpan(minutes),
      }),
      ` ${minutes} min`,
    ),
  );
  return {
    element: h(
      "header",
      { class: "top" },
      h("h1", {}, "Klatsch console ", name),
      h("nav", { "aria-label": "Views" }, h("a", { href: "#usage" }, "Usage")),
      state,
      people,
      h("fieldset", { class: "spans" }, h("legend", { class: "unseen" }, "Charts show the last"), ...spans),
      clock,
    ),
    update({ installation, at, processes, stores }, problems) {
      text(name, installation);
      text(clock, time(at));
      const open = processes.flatMap((one) => Object.values(one.connections ?? {})).reduce((sum, one) => sum + one, 0);
      const sessions = stores ? `, ${plural(stores.sessions, "session")} open` : "";
      text(people, `${plural(open, "connection")}${sessions}`);
      set(state, "data-state", problems.some(({ bad }) => bad) ? "bad" : problems.length ? "warn" : "good");
      text(state, problems.length ? plural(problems.length, "problem") : "All is well");
      document.title = problems.length ? `(${count(problems.length)}) Klatsch console` : "Klatsch console";
    },
    /** `figures`: the last ones, null before the first; `silent`: how long ago they came, in ms. */
    old(figures, silent) {
      set(state, "data-state", "old");
      const seconds = Math.round(silent / 1000);
      text(state, figures ? `Old figures: of ${time(figures.at)}, ${count(seconds)} s ago` : "No figures yet");
      document.title = "(old) Klatsch console";
    },
  };
}

/** What is wrong, in sentences; nothing when nothing is. */
export function troubles() {
  const list = h("ul", { class: "troubles" });
  const element = h("div", { class: "status", role: "status", "aria-label": "Problems", hidden: true }, list);
  return {
    element,
    update(problems) {
      element.hidden = !problems.length;
      const make = ({ bad, todo }) =>
        h(
          "li",
          { "data-bad": bad },
          h("b", {}, bad ? "Problem: " : "Notice: "),
          h("span", {}),
          " ",
          h("span", {}, todo),
        );
      keyed(list, problems, sameness, make, (item, { text: what }) => text(item.childNodes[1], what));
    },
  };
}
