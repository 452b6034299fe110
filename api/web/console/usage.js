// What applications use: all of them in a month, and one by its days. Addresses: #usage, #usage/APP, #usage/APP/2026-11.

import { fill, h, text } from "../view/dom.js";
import { barChart } from "./bars.js";
import { brief, bytes, count, short } from "./format.js";

/** Bytes are told in B, KiB, MiB and GiB, and so is their scale. */
const step = (most) => 1024 ** Math.min(3, Math.floor(Math.log2(Math.max(1, most)) / 10));

/** The metrics in the order in which they are shown; `about`: how a month comes of its days. */
export const METRICS = [
  { name: "messages", title: "Messages", about: "posted", kind: "main", show: short },
  { name: "active_users", title: "Active users", about: "each counted once", kind: "users", show: short },
  { name: "new_users", title: "New users", about: "registered", kind: "handles", show: short },
  { name: "rooms", title: "Rooms", about: "created", kind: "rooms", show: short },
  { name: "bytes", title: "Content", about: "of messages, posted and edited", kind: "warm", show: bytes, unit: step },
  { name: "peak_connections", title: "Connections", about: "most at once", kind: "main", show: short },
  { name: "events", title: "Events", about: "of rooms and users", kind: "apps", show: short },
];
const DRAWN = METRICS.filter(({ name }) => name !== "events");
/** Milliseconds between two looks: the worker needs some seconds, and nobody watches a bill grow. */
const EVERY = 15_000;

const monthName = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const dayName = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "2-digit", timeZone: "UTC" });

const month = (date) => date.toISOString().slice(0, 7);
/** Where a month begins, or one some months away: `2026-11` -> a Date. */
const begin = (name, months = 0) => new Date(Date.UTC(+name.slice(0, 4), +name.slice(5) - 1 + months, 1));
const place = (app, name) => `#usage${app ? `/${encodeURIComponent(app)}` : ""}${app ? `/${name}` : `//${name}`}`;

/** What an address asks for: `{ app, month }`; null: another view. */
export function usageOf(hash) {
  const [view, app = "", name = ""] = hash.slice(1).split("/");
  if (view !== "usage") return null;
  const valid = /^\d{4}-(0[1-9]|1[0-2])$/.test(name);
  return { app: decodeURIComponent(app), month: valid ? name : month(new Date()) };
}

export function usagePage(access, { app, month: name }) {
  const state = h("p", { class: "said", role: "status" }, "Asking…");
  const body = h("div", { class: "usage-body" });
  const title = h("h2", { class: "usage-title" }, app ? "" : "Usage of all applications");
  const element = h(
    "main",
    { class: "wall usage" },
    h(
      "header",
      { class: "top" },
      h("h1", {}, "Klatsch console ", h("span", { class: "installation" }, "usage")),
      h(
        "nav",
        { "aria-label": "Views" },
        h("a", { href: "#" }, "The wall"),
        app ? h("a", { href: place("", name) }, "All applications") : null,
      ),
      months(app, name),
    ),
    h("div", { class: "usage-head" }, title, state),
    body,
  );
  let timer = null;
  let stopped = false;
  let drawn = [];
  const redraw = () => drawn.forEach((draw) => draw());
  const range = () => ({ since: begin(name).toISOString(), until: begin(name, 1).toISOString() });

  async function look() {
    try {
      if (app) await one();
      else await all();
      const shown = monthName.format(begin(name));
      text(state, `${shown}, days in UTC. Counted from the log; the last seconds may be missing.`);
    } catch (problem) {
      if (!problem.code) throw problem;
      text(state, problem.detail);
    } finally {
      if (!stopped) timer = setTimeout(look, EVERY);
    }
  }

  async function all() {
    const found = await access.get("/v1/usage", { ...range(), by: "messages" });
    if (stopped) return;
    const shown = found.apps.length;
    fill(
      body,
      shown ? listing(found.apps, name) : h("p", { class: "panel said" }, "No application used anything this month."),
      found.all > shown ? h("p", { class: "said" }, `The ${shown} with most messages of ${count(found.all)}.`) : null,
    );
  }

  async function one() {
    const [{ app: about }, found] = await Promise.all([
      access.get(`/v1/apps/${encodeURIComponent(app)}`),
      access.get(`/v1/apps/${encodeURIComponent(app)}/usage`, range()),
    ]);
    if (stopped) return;
    text(title, about.name);
    document.title = `${about.name}, usage – Klatsch console`;
    const days = daysOf(name, found.windows);
    const charts = DRAWN.map((metric) =>
      barChart({ ...metric, figure: metric.show(found.totals[metric.name]), bars: barsOf(days, metric) }),
    );
    fill(body, h("div", { class: "charts" }, ...charts.map((chart) => chart.element)), table(days, found, name));
    drawn = charts.map((chart) => chart.draw);
    redraw();
  }

  return {
    element,
    start() {
      addEventListener("resize", redraw);
      look();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      removeEventListener("resize", redraw);
      document.title = "Klatsch console";
    },
  };
}

function months(app, name) {
  const other = (date, word, sign) =>
    h("a", { href: place(app, month(date)), "aria-label": `${word}: ${monthName.format(date)}` }, sign);
  const next = begin(name, 1);
  return h(
    "nav",
    { class: "months", "aria-label": "Month" },
    other(begin(name, -1), "Before", "←"),
    h("b", {}, monthName.format(begin(name))),
    next > new Date() ? null : other(next, "Next", "→"),
  );
}

/** Applications, the one with most messages first, each with a bar that compares it with that one. */
function listing(apps, name) {
  const most = Math.max(1, ...apps.map(({ totals }) => totals.messages));
  return h(
    "section",
    { class: "panel usage-list", "aria-label": "Applications" },
    h(
      "table",
      {},
      heads("Application"),
      h(
        "tbody",
        {},
        ...apps.map(({ app, name: called, totals }) => {
          const share = h("i", { class: "share", "aria-hidden": "true" });
          // A style attribute would be refused by the page's policy.
          share.style.width = `${(100 * totals.messages) / most}%`;
          return h(
            "tr",
            {},
            h(
              "th",
              { scope: "row" },
              h("a", { href: place(app, name) }, called || brief(app)),
              h("small", {}, app),
              share,
            ),
            ...METRICS.map((metric) => h("td", {}, metric.show(totals[metric.name]))),
          );
        }),
      ),
    ),
  );
}

/** All days of a month up to today, those without anything too: `[{ start, date, open, values }]`. */
function daysOf(name, windows) {
  const known = new Map(windows.map((one) => [one.start, one]));
  const days = [];
  for (let date = begin(name); date < begin(name, 1); date = new Date(+date + 86_400_000)) {
    const start = date.toISOString();
    days.push({ start, date, open: +date <= Date.now() && Date.now() < +date + 86_400_000, values: known.get(start) });
  }
  return days;
}

const barsOf = (days, { name }) =>
  days.map(({ date, open, values }, index) => ({
    label: index === 0 || (index + 1) % 5 === 0 ? String(index + 1) : "",
    name: dayName.format(date) + (open ? ", so far" : ""),
    value: Math.max(0, values?.[name] ?? 0),
    open,
  }));

const heads = (first) =>
  h(
    "thead",
    {},
    h("tr", {}, ...[first, ...METRICS.map(({ title }) => title)].map((word) => h("th", { scope: "col" }, word))),
  );

function table(days, found, name) {
  const some = days.filter(({ values }) => values).reverse();
  return h(
    "section",
    { class: "panel usage-days", "aria-label": "Days" },
    h(
      "header",
      {},
      h("h2", {}, "Days"),
      h("p", {}, ...["csv", "json"].map((form) => downloadButton(form, found, name))),
    ),
    h(
      "table",
      {},
      heads("Day (UTC)"),
      h(
        "tbody",
        {},
        ...some.map(({ date, open, values }) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, weekday.format(date), open ? h("small", {}, " so far") : null),
            ...cells(values),
          ),
        ),
      ),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "Month"), ...cells(found.totals))),
    ),
  );
}

const cells = (values) =>
  METRICS.map(({ name }) => h("td", {}, name === "bytes" ? bytes(values[name]) : count(values[name])));

/** The same columns as `klatsch usage export` has. */
const COLUMNS = [
  ...["app", "window", "start"],
  ...["messages", "active_users", "new_users", "rooms", "bytes", "events", "peak_connections"],
];

export function fileOf(form, found) {
  const rows = found.windows.map((one) => ({ app: found.app, window: found.window, ...one }));
  const lines =
    form === "csv"
      ? [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))].map((row) => row.join(","))
      : rows.map((row) => JSON.stringify(Object.fromEntries(COLUMNS.map((column) => [column, row[column]]))));
  return lines.map((line) => `${line}\n`).join("");
}

const downloadButton = (form, found, name) =>
  h("button", { type: "button", onclick: () => download(form, found, name) }, `Download ${form.toUpperCase()}`);

function download(form, found, name) {
  const type = form === "csv" ? "text/csv" : "application/json";
  const address = URL.createObjectURL(new Blob([fileOf(form, found)], { type }));
  const link = h("a", { href: address, download: `usage-${found.app}-${name}.${form}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
