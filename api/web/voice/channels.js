// The list of channels with who is in them, and the making of one.

import { confirmed } from "../view/confirm.js";
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
      const here = app.channel;
      // The one that one is in is shown also where it is on a later page.
      if (here !== null && !found.some(({ id }) => id === here)) {
        found.unshift((await app.api.get(`/v1/channels/${here}`)).channel);
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
    const remove = h("button", { type: "button", class: "quiet danger", onclick: () => removed(id) }, "Delete");
    return h(
      "li",
      { "data-channel": id },
      h("span", {}, h("strong", { id: `channel-${id}` }), h("small", {})),
      h("span", { class: "actions" }, remove, join),
    );
  }

  async function removed(id) {
    const { name } = channels.find((one) => one.id === id);
    if (!(await confirmed(`Delete ${name}?`, "Whoever is in it is cut off.", "Delete"))) return;
    await tried(() => app.api.do("DELETE", `/v1/channels/${id}`));
    await look();
  }

  function show(element, channel) {
    const { id, name, limit, users } = channel;
    const here = app.channel === id;
    text(element.querySelector("strong"), name);
    const who = users.map((user) => user.name).join(", ");
    text(element.querySelector("small"), who ? `${users.length} of ${limit}: ${who}` : `Nobody, of at most ${limit}`);
    const [remove, join] = element.querySelectorAll("button");
    remove.hidden = !app.owns(channel);
    set(remove, "aria-describedby", `channel-${id}`);
    text(join, here ? "You are here" : "Join");
    set(join, "aria-describedby", `channel-${id}`);
    join.disabled = here;
    set(element, "data-here", here);
  }

  const start = () => ((timer = 0), again());
  const stop = () => (clearTimeout(timer), (timer = null));
  const focus = (id) => list.querySelector(`[data-channel="${id}"] .primary`)?.focus();
  return { element, start, stop, update, look, focus };
}

function maker(app, look) {
  const name = h("input", { id: "channel-name", type: "text", required: true, maxlength: 64, autocomplete: "off" });
  const limit = h("input", { id: "channel-limit", type: "number", required: true, min: 1, max: 25, value: 5 });
  const error = h("p", { class: "form-error", role: "alert" });
  const make = h("button", { type: "submit", class: "quiet" }, "Make and join");

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
