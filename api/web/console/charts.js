// Which charts there are: what is counted, in what unit, and from where on it is worth a word.

import { chart } from "./chart.js";
import { explain, termed } from "./explain.js";
import { BEHIND, SLOW } from "./judge.js";

const WARN = { label: "a notice", kind: "warm" };
const BAD = { label: "a problem", kind: "alert" };

const CHARTS = [
  {
    title: termed("event", "Happened", "events"),
    label: "Events",
    unit: "a second",
    sum: true,
    series: [
      { name: "events.rooms", label: "in rooms", kind: "rooms" },
      { name: "events.users", label: "to people", kind: "users" },
      { name: "events.handles", label: "to names", kind: "handles" },
      { name: "events.apps", label: "to applications", kind: "apps" },
    ],
  },
  {
    title: termed("command", "Asked for", "commands"),
    label: "Commands",
    unit: "a second",
    series: [
      { name: "commands", label: "decided", kind: "main" },
      { name: "refused", label: "refused", kind: "alert" },
    ],
  },
  {
    title: termed("delivery", "Handed out", "deliveries"),
    label: "Deliveries",
    unit: "a second",
    series: [{ name: "deliveries", label: "to connections", kind: "main" }],
  },
  {
    title: ["Time to answer ", explain("p99")],
    label: "Requests",
    unit: "ms",
    least: 10,
    limits: [{ at: SLOW, ...WARN }],
    series: [
      { name: "p99", label: "slowest in a hundred (p99)", kind: "warm" },
      { name: "p50", label: "middle (p50)", kind: "main" },
    ],
  },
  {
    title: termed("lag", "Not there yet"),
    label: "Lag",
    unit: "events",
    least: 10,
    limits: [
      { at: BEHIND.some, ...WARN },
      { at: BEHIND.much, ...BAD },
    ],
    series: [
      { name: "lag.read_models", label: "to read (read models)", kind: "main" },
      { name: "lag.feed", label: "to be told (feed)", kind: "warm" },
    ],
  },
];

export const charts = () => CHARTS.map(chart);
