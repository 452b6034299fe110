// The list of channels with who is in them, and the making of one.

import { h, keyed, set, text } from "../view/dom.js";
import { field, fieldError } from "../view/fields.js";
import { tried } from "../view/toasts.js";

/** Milliseconds from one look to the next: servers report who is where every five seconds. */
const LOOK = 3000;
/** Channels of one page. */
const PAGE = 50;

/** `app.join(channel)` is called for the one that is chosen. Gives `element`, `start`, `stop`, `update` and `look`. */
export function channelList(app) {
  let channels = [];
  let pages = 1;
  let next = null;
  let timer = null;
  const list = h("ul", { class: "channels", "aria-label": "Channels" });
  const none = h("p", { class: "hint", hidden: true }, "There is no channel yet. Make the first one.");
  const more = h("button", { type: "button", class: "quiet", hidden: true, onclick: () => ((pages += 1), look()) }, "More");
  const element = h("section", { class: "panel", "aria-labelledby": "channels-title" });
  element.append(h("h2", { id: "channels-title" }, "Channels"), none, list, more, maker(app, look));

  async function look() {
    const found = [];
    let cursor = null;
    await tried(async () => {
      for (let page = 0; page < pages; page += 1) {
        const answer = await app.api.get("/v1/channels", { limit: PAGE, cursor });
        found.push(...answer.channels);
        cursor = answer.next;
        if (!cursor) break;
      }
      channels = found;
      next = cursor;
    });
    app.known(channels);
    update();
  }

  async function again() {
    await look();
    if (timer !== null) timer = setTimeout(again, LOOK);
  }

  function update() {
    none.hidden = channels.length > 0;
    more.hidden = next === null;
    keyed(list, channels, ({ id }) => id, row, show);
  }

  function row({ id }) {
    const join = h("button", { type: "button", class: "primary", onclick: () => app.join(id) }, "Join");
    return h(
      "li",
      { "data-channel": id },
      h("span", {}, h("strong", { id: `channel-${id}` }), h("small", {})),
      join,
    );
  }

  function show(element, { id, name, limit, users }) {
    const here = app.channel === id;
    text(element.querySelector("strong"), name);
    const who = users.map((user) => user.name).join(", ");
    text(element.querySelector("small"), who ? `${users.length} of ${limit}: ${who}` : `Nobody, of at most ${limit}`);
    const join = element.querySelector("button");
    text(join, here ? "You are here" : "Join");
    set(join, "aria-describedby", `channel-${id}`);
    join.disabled = here;
    set(element, "data-here", here);
  }

  const start = () => ((timer = 0), again());
  const stop = () => (clearTimeout(timer), (timer = null));
  const focus = (id) => list.querySelector(`[data-channel="${id}"] button`)?.focus();
  return { element, start, stop, update, look, focus };
}

function maker(app, look) {
  const name = h("input", { id: "channel-name", type: "text", required: true, maxlength: 64, autocomplete: "off" });
  const limit = h("input", { id: "channel-limit", type: "number", required: true, min: 1, max: 25, value: 5 });
  const error = h("p", { class: "form-error", role: "alert" });
  const make = h("button", { type: "submit", class: "quiet" }, "Make a channel");

  async function send(event) {
    event.preventDefault();
    make.disabled = true;
    error.textContent = "";
    try {
      const body = { name: name.value.trim(), limit: Number(limit.value) };
      const { channel } = await app.api.do("POST", "/v1/channels", body);
      // As if it had never been touched: an empty name is no fault of anybody's yet.
      event.target.reset();
      await look();
      app.join(channel.id);
    } catch (problem) {
      if (!fieldError(problem, { name, limit })) error.textContent = problem.detail ?? String(problem);
    }
    make.disabled = false;
  }

  return h(
    "form",
    { class: "maker", onsubmit: send, "aria-label": "Make a channel" },
    field("Name", name),
    field("People at most", limit),
    error,
    make,
  );
}
