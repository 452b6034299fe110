"use strict";
// Shows the operations that have all words of the filter; "/" goes to it, Escape clears it.
const field = document.getElementById("filter");
const entries = document.querySelectorAll("[data-find]");

function apply() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const entry of entries) {
    const fits = words.every((word) => entry.dataset.find.includes(word));
    entry.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  document.getElementById("nothing").hidden = shown > 0;
  for (const group of document.querySelectorAll("main section, nav .group")) {
    const inside = group.querySelectorAll("[data-find]");
    group.hidden = words.length > 0 && [...inside].every((entry) => entry.hidden);
  }
  document.querySelector("main header").hidden = words.length > 0;
  window.scrollTo({ top: 0, behavior: "instant" });
}

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.querySelector("details")?.setAttribute("open", "");
}

field.addEventListener("input", apply);
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    field.value = "";
    apply();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  }
});
window.addEventListener("hashchange", open);
open();
