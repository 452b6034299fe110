// The inner words: a plain label with the word in brackets, and a mark that says in a sentence what it is.

import { h } from "../view/dom.js";
import { popover } from "../view/popover.js";
import { TERMS } from "./terms.js";

const anchor = (word) => `word-${word.replaceAll(" ", "-")}`;

/** "Waiting for a fix (parked)" with its mark; `shown` where it is another form of the word. */
export const termed = (word, plain, shown = word) => [
  `${plain} `,
  h("span", { class: "inner" }, `(${shown}) `, explain(word)),
];

/** The mark beside a word: pressed by mouse, finger or Enter it explains it. Esc, or a press elsewhere, closes it. */
export function explain(word) {
  const mark = h(
    "button",
    {
      type: "button",
      class: "what",
      "aria-expanded": "false",
      "aria-label": `What is “${word}”?`,
      onclick: () => open(mark, word),
    },
    "?",
  );
  return mark;
}

function open(mark, word) {
  let chosen = false;
  const more = h(
    "a",
    { href: "#words", onclick: (event) => (event.preventDefault(), (chosen = true), close()) },
    "All words",
  );
  const { box, close } = popover(mark, { class: "note", role: "note" }, [
    h("p", {}, h("b", {}, word), `: ${TERMS[word].plain}. ${TERMS[word].sentence}`),
    h("p", {}, more),
  ]);
  // After the box has given the focus back.
  box.addEventListener("toggle", ({ newState }) => newState === "closed" && chosen && show(word));
  more.focus({ preventScroll: true });
}

function show(word) {
  const entry = document.getElementById(anchor(word));
  entry.closest("details").open = true;
  entry.scrollIntoView({ block: "center" });
  entry.focus({ preventScroll: true });
}

/** All of them, at the end of the page. */
export function wordPanel() {
  const words = Object.entries(TERMS).map(([word, { plain, sentence }]) =>
    h("div", { id: anchor(word), tabindex: "-1" }, h("dt", {}, word, " ", h("small", {}, plain)), h("dd", {}, sentence)),
  );
  return {
    element: h(
      "section",
      { class: "panel words", id: "words", "aria-label": "Words" },
      h(
        "details",
        {},
        h("summary", {}, h("h2", {}, "Words on this page")),
        h("dl", {}, ...words),
        h("p", { class: "none" }, "Where each lives in the code: docs/reference/glossary.md."),
      ),
    ),
  };
}
