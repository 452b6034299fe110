// What people write, as it is meant to look: code, emphasis, emoji, links. Elements are made one by one; what
// is between them goes in as text, so that nothing that somebody wrote is ever parsed as HTML.

import { h } from "./dom.js";

/** Shortcodes of emoji, as chats commonly name them. */
const EMOJI = {
  "+1": "👍", "-1": "👎", thumbsup: "👍", thumbsdown: "👎", smile: "😄", grin: "😁", joy: "😂", wink: "😉", blush: "😊",
  heart: "❤️", heart_eyes: "😍", cry: "😢", sob: "😭", angry: "😠", thinking: "🤔", tada: "🎉", rocket: "🚀", fire: "🔥",
  eyes: "👀", wave: "👋", clap: "👏", pray: "🙏", ok_hand: "👌", coffee: "☕", tea: "🍵", cake: "🍰", bug: "🐛",
  white_check_mark: "✅", x: "❌", warning: "⚠️", star: "⭐", sparkles: "✨", 100: "💯", sunglasses: "😎", shrug: "🤷",
};

/** The first that matches at the earliest place is taken; `make(groups)` gives the element. Nothing is nested in code. */
const INLINE = [
  { pattern: /`([^`\n]+)`/, make: ([, code]) => h("code", {}, code) },
  { pattern: /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)*_]/, make: ([url]) => link(url, url) },
  { pattern: /\*\*(\S(?:[^\n]*?\S)?)\*\*/, make: ([, words]) => h("strong", {}, inline(words)) },
  { pattern: /~~(\S(?:[^\n]*?\S)?)~~/, make: ([, words]) => h("s", {}, inline(words)) },
  { pattern: /(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])/, make: ([, words]) => h("em", {}, inline(words)) },
  { pattern: /(?<!\w)_([^\s_](?:[^_\n]*[^\s_])?)_(?!\w)/, make: ([, words]) => h("em", {}, inline(words)) },
  { pattern: /:([a-z0-9_+-]+):/, make: ([all, name]) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : all) },
];

/** A text as nodes: fenced code as blocks, the rest in lines. */
export function formatted(said) {
  return said
    .split(/```(?:[a-z0-9+#-]*\n)?([\s\S]+?)\n?```\n?/i)
    .flatMap((part, index) => (index % 2 ? [h("pre", {}, h("code", {}, part))] : inline(part)));
}

function inline(said) {
  const found = [];
  let rest = said;
  while (rest) {
    const first = earliest(rest);
    if (!first) break;
    const { match, make } = first;
    found.push(rest.slice(0, match.index), make(match));
    rest = rest.slice(match.index + match[0].length);
  }
  return [...found, rest].filter((part) => part !== "");
}

function earliest(said) {
  let best = null;
  for (const { pattern, make } of INLINE) {
    const match = pattern.exec(said);
    if (match && (!best || match.index < best.match.index)) best = { match, make };
  }
  return best;
}

/** A link to another host, which is not told where its reader comes from. Other schemes than the web's stay text. */
export function link(url, label) {
  if (!/^https?:\/\//.test(url)) return label;
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}
