// The channel that one is in: who is there and how loud, muting and leaving.

import { h, keyed, set, text } from "../view/dom.js";

/** Milliseconds from one look at the levels to the next, and how much of a level is left after it. */
const LOOK = 100;
const LEFT = 0.7;
/** Below it a meter shows nothing, and nobody counts as speaking. */
const SILENT = 0.02;

/**
 * `app`: `channel`, `channelName()`, `people()`, `levelOf(number)`, `mute(muted)`, `leave()`, `hear()`. Gives `element`,
 * and what shows a change in it.
 */
export function insidePanel(app) {
  const shown = new Map();
  let muted = false;
  const title = h("h2", { id: "inside-title", tabindex: -1 });
  const state = h("p", { class: "hint", role: "status" });
  const trouble = h("p", { class: "form-error", role: "alert" });
  const retry = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => app.hear() });
  retry.append("Use the microphone");
  const list = h("ul", { class: "speakers", "aria-label": "In this channel" });
  const mute = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => press(!muted) });
  mute.append("Mute");
  const leave = h("button", { type: "button", class: "quiet danger", onclick: () => app.leave() }, "Leave");
  const buttons = h("div", { class: "actions" }, mute, leave);
  const element = h("section", { class: "panel", "aria-labelledby": "inside-title" });
  const idle = h("p", { class: "hint" }, "Join one of the channels, or make one.");
  element.append(title, state, trouble, retry, list, buttons, idle);
  const timer = setInterval(levels, LOOK);

  function press(value) {
    muted = value;
    set(mute, "aria-pressed", String(muted));
    app.mute(muted);
  }

  function levels() {
    for (const row of list.children) {
      const number = Number(row.dataset.number);
      const level = Math.max(app.levelOf(number), (shown.get(number) ?? 0) * LEFT);
      shown.set(number, level < SILENT ? 0 : level);
      row.querySelector("meter").value = shown.get(number);
      set(row, "data-speaks", level > SILENT);
    }
  }

  function row({ number }) {
    const meter = h("meter", { min: 0, max: 1, value: 0 });
    return h("li", { "data-number": number }, h("span", {}), meter);
  }

  function update() {
    const inside = app.channel !== null;
    text(title, inside ? app.channelName() : "You are in no channel");
    buttons.hidden = list.hidden = !inside;
    idle.hidden = inside;
    keyed(list, inside ? app.people() : [], ({ number }) => number, row, (element, { name, own, muted }) => {
      text(element.querySelector("span"), own ? `${name} (${muted ? "you, muted" : "you"})` : name);
      set(element.querySelector("meter"), "aria-label", `How loud ${name} is`);
    });
  }

  /** `words`: why others do not hear one; empty: they do. */
  function microphone(words) {
    text(trouble, words && `${words} You hear the others, and they do not hear you.`);
    retry.hidden = !words;
  }

  const say = (words) => text(state, words);
  const stop = () => clearInterval(timer);
  return { element, update, stop, say, microphone, press, focus: () => title.focus() };
}
