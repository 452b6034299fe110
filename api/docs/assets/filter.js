// Shows the operations that have all words of the filter; "/" goes to it, Escape clears it. The menu of small screens.
document.documentElement.classList.add("scripted");
const filterField = document.getElementById("filter");
const menu = document.getElementById("menu");
const menuButton = document.getElementById("menu-button");
const findable = document.querySelectorAll("[data-find]");

/** Says something to those who do not see the page; what a live region held before is replaced. */
function announce(text) {
  document.getElementById("announced").textContent = text;
}

function applyFilter() {
  const words = filterField.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of findable) {
    const fits = words.every((word) => one.dataset.find.includes(word));
    one.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  document.getElementById("nothing").hidden = shown > 0;
  for (const group of document.querySelectorAll("main > section, .menu .group")) {
    const inside = group.querySelectorAll("[data-find]");
    group.hidden = words.length > 0 && [...inside].every((one) => one.hidden);
  }
  document.getElementById("intro").hidden = words.length > 0;
  window.scrollTo({ top: 0, behavior: "instant" });
}

function clearFilter() {
  filterField.value = "";
  applyFilter();
}

function showMenu(open) {
  menu.classList.toggle("open", open);
  menuButton.setAttribute("aria-expanded", String(open));
}

menuButton.hidden = false;
menuButton.addEventListener("click", () => showMenu(!menu.classList.contains("open")));
menu.addEventListener("click", (event) => {
  if (event.target.closest("a")) showMenu(false);
});
filterField.addEventListener("input", applyFilter);
document.addEventListener("keydown", (event) => {
  const writes = /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName);
  if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    showMenu(true);
    filterField.focus();
  } else if (event.key === "Escape" && menu.contains(document.activeElement)) {
    clearFilter();
    if (menu.classList.contains("open")) {
      showMenu(false);
      menuButton.focus();
    }
  }
});
// What a link leads to may be filtered away.
window.addEventListener("hashchange", () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && !target.checkVisibility()) {
    clearFilter();
    target.scrollIntoView();
  }
});
