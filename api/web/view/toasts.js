// Short notices in a corner: what went wrong, in the server's own words.

import { h, icon } from "./dom.js";

/** How long a notice stays, in ms: long enough to read two lines; it waits while it is pointed at or focused. */
const STAY = 7000;

/** How the server's words are said here: ids in them are of people and rooms that have names. */
let saying = (words) => words;

export function sayBy(words) {
  saying = words;
}

/** `what`, a text, a Problem or any Error, in words. */
export const worded = (what) => saying(String(what.detail ?? what.message ?? what));

const region = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

/** `what`: a text, a Problem or any Error. */
export function toast(what, kind = what instanceof Error ? "error" : "info") {
  if (!region.isConnected) document.body.append(region);
  const note = h("div", { class: `toast ${kind}` }, h("p", {}, worded(what)));
  const close = () => note.remove();
  note.append(
    h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: close }, icon("close")),
  );
  let timer = setTimeout(close, STAY);
  note.addEventListener("pointerenter", () => clearTimeout(timer));
  note.addEventListener("pointerleave", () => (timer = setTimeout(close, STAY)));
  // A modal dialog makes everything outside it inert: the notice must stand in it.
  (document.querySelector("dialog[open]:last-of-type") ?? document.body).append(region);
  region.append(note);
}

/** Runs `work` and shows what goes wrong. Returns whether it went well. */
export async function tried(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!error.detail) console.error(error);
    toast(error);
    return false;
  }
}
