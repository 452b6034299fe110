// A visual character: a small face, drawn from a visual's model and the emotion of a message.

import { svg } from "./dom.js";

export const SHAPES = {
  round: "M50 7C77 7 93 26 93 51S76 94 50 94 7 77 7 51 23 7 50 7z",
  square: "M34 8h32c18 0 27 9 27 27v31c0 18-9 27-27 27H34C16 93 7 84 7 66V35C7 17 16 8 34 8z",
  drop: "M50 4c8 12 42 28 42 55 0 22-18 36-42 36S8 81 8 59C8 32 42 16 50 4z",
  bean: "M29 12c21-10 53-4 60 21s1 56-29 61S9 85 8 56s6-37 21-44z",
  cat: "M13 9c1-3 4-3 6-1l16 13c10-3 20-3 30 0L81 8c2-2 5-2 6 1 3 11 4 21 3 30 5 32-10 55-40 55S5 71 10 39C9 30 10 20 13 9z",
  cloud:
    "M27 85C9 87 3 65 17 56 5 43 16 25 32 28 37 9 63 8 69 25 87 20 99 40 86 53 100 63 92 85 74 84 64 96 37 96 27 85z",
};

export const COLOURS = {
  petrol: "#62b8b4",
  coral: "#f4907c",
  marigold: "#f4c155",
  lilac: "#b9a2ea",
  moss: "#9fc581",
  sky: "#84b9f2",
  rose: "#f0a2c0",
  sand: "#dcc7a4",
};

export const EXTRAS = {
  none: [],
  glasses: [
    { d: "M25 47a11 11 0 1 0 22 0a11 11 0 1 0-22 0M53 47a11 11 0 1 0 22 0a11 11 0 1 0-22 0M47 45q3-3 6 0", line: true },
  ],
  bow: [
    { d: "M50 10l-17-8v18zM50 10l17-8v18z", fill: "#d8456b" },
    { d: "M50 5a5 5 0 1 0 .1 0z", fill: "#a92c4f" },
  ],
  leaf: [
    { d: "M50 12C46-2 62-4 70 2 66 12 58 14 50 12z", fill: "#5d9a4c" },
    { d: "M50 14C50 8 56 4 62 3", line: true },
  ],
  cap: [
    { d: "M18 30C18 8 36 2 50 2s32 6 32 28z", fill: "#3c5a6b" },
    { d: "M16 27h52c14 0 24 3 28 8H16z", fill: "#2b4351" },
  ],
  freckles: [{ d: "M27 60h.1M32 64h.1M37 60h.1M63 60h.1M68 64h.1M73 60h.1", dots: true }],
};

const dot = (x, y) => ({ d: `M${x} ${y}h.1`, eye: true });
const wide = (x, y, dx = 0, dy = 0) => [
  { d: `M${x} ${y - 8}a8 8 0 1 0 .1 0z`, fill: "#fff", line: true },
  { d: `M${x + dx} ${y + dy}h.1`, pupil: true },
];
const NEUTRAL = [dot(36, 47), dot(64, 47), { d: "M40 67q10 7 20 0", line: true }];
const BLUSH = { d: "M24 60a6 4.5 0 1 0 .1 0zM76 60a6 4.5 0 1 0 .1 0z", fill: "#e2526a", soft: true };

/** What a face does to show an emotion. The names are those of the emotion service's lexicon. */
export const EMOTIONS = {
  joy: [
    { d: "M29 48q7-9 14 0M57 48q7-9 14 0", line: true },
    { d: "M34 61q16 5 32 0q-2 18-16 18T34 61z", fill: "#5b2333", line: true },
    { d: "M42 75q8-5 16 0q-8 6-16 0z", fill: "#ef7c8e" },
    BLUSH,
  ],
  sadness: [
    dot(36, 51),
    dot(64, 51),
    { d: "M27 42l14-6M73 42l-14-6M39 74q11-10 22 0", line: true },
    { d: "M29 57c-6 9-5 14 0 14s6-5 0-14z", fill: "#7cc4f5", line: true },
  ],
  anger: [
    dot(37, 51),
    dot(63, 51),
    { d: "M26 37l17 7M74 37l-17 7", line: true },
    { d: "M36 73q3-9 14-9t14 9z", fill: "#fff", line: true },
    { d: "M45 65v8M55 65v8", line: true, thin: true },
    BLUSH,
  ],
  fear: [
    ...wide(35, 48, 1, 2),
    ...wide(65, 48, -1, 2),
    { d: "M26 33q7-6 14-4M74 33q-7-6-14-4", line: true },
    { d: "M36 73q3.5-7 7 0t7 0t7 0t7 0", line: true },
  ],
  surprise: [
    ...wide(35, 46),
    ...wide(65, 46),
    { d: "M27 31q8-7 16-1M73 31q-8-7-16-1", line: true },
    { d: "M50 63a8 10 0 1 0 .1 0z", fill: "#5b2333", line: true },
  ],
  disgust: [
    { d: "M28 49l14-3M72 46l-14 3M28 41q7-3 14 2M58 41q8-5 14-4", line: true },
    { d: "M34 68q8-7 16-2t16-2", line: true },
    { d: "M44 67c0 16 13 16 13 0q-7 2-13 0z", fill: "#ef7c8e", line: true },
  ],
  trust: [
    { d: "M29 46q7 7 14 0M57 46q7 7 14 0M36 64q14 13 28 0", line: true },
    BLUSH,
    { d: "M84 10c-3-6-13-3-8 5l8 8 8-8c5-8-5-11-8-5z", fill: "#e2526a" },
  ],
  anticipation: [
    ...wide(35, 47, 3, -3),
    ...wide(65, 47, 3, -3),
    { d: "M27 34q8-5 15-1M58 31q8-5 15 1M41 68q12 6 20-3", line: true },
    { d: "M86 6l2.5 7.5L96 16l-7.5 2.5L86 26l-2.5-7.5L76 16l7.5-2.5z", fill: "#fff", line: true, thin: true },
  ],
};

/** The model that a user without a visual is shown with: always the same for the same name. */
export function defaultModel(name) {
  let hash = 2166136261;
  for (const character of name.toLowerCase()) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
  const some = (table, shift) => Object.keys(table)[(hash >>> shift) % Object.keys(table).length];
  return { kind: "face", shape: some(SHAPES, 3), colour: some(COLOURS, 11), extra: "none" };
}

/** The model of a user's visual, if it is one that this client can draw, else the default one. */
export function modelOf(user, visual) {
  if (visual?.model_data?.kind === "face") return visual.model_data;
  return defaultModel((user?.username || user?.id) ?? "?");
}

/** What a table has under a name that somebody else chose: "constructor" is no entry. */
const pick = (table, name) => (Object.hasOwn(table, name) ? table[name] : null);

/** The face as an element. `label`: what it shows in words; without it, it is decoration. */
export function face(model, emotion = null, label = null) {
  const said = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  const features = pick(EMOTIONS, emotion) ?? NEUTRAL;
  const parts = [...features, ...(pick(EXTRAS, model.extra) ?? [])];
  return svg(
    "svg",
    { class: "face", viewBox: "-2 -6 104 108", "data-emotion": emotion ?? false, ...said },
    svg("path", {
      class: "face-skin",
      d: pick(SHAPES, model.shape) ?? SHAPES.round,
      fill: pick(COLOURS, model.colour) ?? COLOURS.sand,
    }),
    parts.map(stroke),
  );
}

function stroke({ d, fill = "none", line, thin, eye, pupil, dots, soft }) {
  const kind = eye ? "face-eye" : pupil ? "face-pupil" : dots ? "face-dots" : line ? "face-line" : "face-area";
  return svg("path", { class: `${kind}${thin ? " thin" : ""}${soft ? " soft" : ""}`, d, fill });
}
