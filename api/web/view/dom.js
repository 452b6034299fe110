// Making and updating elements. Text goes in as text nodes only: nothing that a user wrote is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element: `h("button", { class: "quiet", onclick: f, "aria-label": "Close" }, "x")`. Functions become listeners,
 * `true`/`false` set or leave out an attribute, null children are skipped.
 */
export function h(name, props = {}, ...children) {
  return build(document.createElement(name), props, children);
}

/** The same for SVG. */
export function svg(name, props = {}, ...children) {
  return build(document.createElementNS(SVG, name), props, children);
}

function build(element, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else set(element, key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An attribute, changed only when it differs; false and null remove it. */
export function set(element, key, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(key);
  else if (element.getAttribute(key) !== String(value)) element.setAttribute(key, value === true ? "" : value);
}

/** The text of an element, changed only when it differs. */
export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

/**
 * Makes the children of `parent` show `items`, in order. `make(item)` gives a child the first time that its key is seen,
 * `update(child, item)` brings it up to date each time. Children whose place is right are not moved, so that focus and
 * scroll position stay.
 */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const before = (parent.keyed ??= new Map());
  const now = new Map(items.map((item) => [keyOf(item), item]));
  // First, so that those that stay are in their place: an element that is moved loses the focus.
  for (const [key, child] of before) if (!now.has(key)) child.remove();
  let place = parent.firstChild;
  for (const [key, item] of now) {
    const child = before.get(key) ?? make(item);
    update(child, item);
    now.set(key, child);
    if (child === place) place = place.nextSibling;
    else parent.insertBefore(child, place);
  }
  parent.keyed = now;
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  chat: "M5 5h14v10H11l-4 4v-4H5z",
  check: "M5 12l5 5 9-10",
  close: "M6 6l12 12M18 6L6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  crown: "M4 18h16l1-10-5 4-4-7-4 7-5-4z",
  dots: "M5 11.500a.500.500 0 1 0 0 1 .500.500 0 0 0 0-1M12 11.500a.500.500 0 1 0 0 1 .500.500 0 0 0 0-1M19 11.500a.500.500 0 1 0 0 1 .500.500 0 0 0 0-1",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  friend: "M4 19c0-4 3-6 6-6s6 2 6 6M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6M19 8v6M16 11h6",
  group: "M3 18c0-3 2-5 5-5s5 2 5 5M8 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6M14 13c4-1 7 1 7 5M15 4a3 3 0 0 1 0 6",
  gear: "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6M12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.100 2.100M16.300 16.300l2.100 2.100M5.600 18.400l2.100-2.100M16.300 7.700l2.100-2.100",
  hash: "M9 4L7 20M17 4l-2 16M4 9h17M3 15h17",
  history: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  leave: "M14 5h5v14h-5M4 12h10M10 8l4 4-4 4",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  plus: "M12 5v14M5 12h14",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l4 4",
  voice: "M12 4a3 3 0 0 0-3 3v4a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3M6 11a6 6 0 0 0 12 0M12 17v3",
  send: "M4 12l16-7-6 15-3-6z",
};

export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** A button that shows an icon only: its label is for assistive technology and as a tooltip. */
export function iconButton(name, label, onclick, props = {}) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props },
    icon(name),
  );
}
