// One language for all samples of the page: tabs in place of their headings, and a button that copies.
const LANGUAGE = "klatsch.docs.language";
const COPIED_MS = 1500;
const sampleSets = [...document.querySelectorAll(".samples")];

/** Shows a language everywhere; what was pressed stays where it is on the screen. */
function chooseLanguage(language, pressed) {
  const before = pressed?.getBoundingClientRect().top;
  for (const set of sampleSets) {
    for (const panel of set.querySelectorAll(":scope > [id]")) panel.hidden = panel.dataset.language !== language;
    for (const tab of set.querySelectorAll("[role=tab]")) {
      const chosen = tab.dataset.language === language;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
  }
  if (pressed) window.scrollBy({ top: pressed.getBoundingClientRect().top - before, behavior: "instant" });
}

function sampleTabs(set) {
  const list = document.createElement("div");
  list.className = "segments";
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Language of all samples");
  for (const panel of set.querySelectorAll(":scope > [id]")) {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.id = `${panel.id}-tab`;
    tab.dataset.language = panel.dataset.language;
    tab.textContent = panel.querySelector(".language").textContent;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    list.append(tab);
  }
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) keepLanguage(tab);
  });
  list.addEventListener("keydown", (event) => {
    const tabs = [...list.children];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs.at((tabs.indexOf(document.activeElement) + step) % tabs.length);
    keepLanguage(next);
    next.focus({ preventScroll: true });
  });
  return list;
}

function keepLanguage(tab) {
  localStorage.setItem(LANGUAGE, tab.dataset.language);
  chooseLanguage(tab.dataset.language, tab);
}

function copyButton(set) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(set.querySelector("[role=tabpanel]:not([hidden]) code").textContent);
    button.textContent = "Copied";
    announce("Copied");
    setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  });
  return button;
}

for (const set of sampleSets) {
  const bar = document.createElement("div");
  bar.className = "bar";
  bar.append(sampleTabs(set));
  // Browsers have no clipboard for pages that came unprotected from another machine.
  if (navigator.clipboard) bar.append(copyButton(set));
  set.prepend(bar);
}
// The samples call the server from which the page came.
for (const code of document.querySelectorAll("#start code")) {
  code.textContent = code.textContent.replace("http://127.0.0.1:8400", location.origin);
}
const keptLanguage = localStorage.getItem(LANGUAGE);
const knownLanguages = [...sampleSets[0].querySelectorAll("[role=tab]")].map((tab) => tab.dataset.language);
chooseLanguage(knownLanguages.includes(keptLanguage) ? keptLanguage : knownLanguages[0]);
