// The page before a session: log in, or make an account.

import { Api } from "../klatsch/api.js";
import { fill, h, set } from "./dom.js";
import { defaultModel, face } from "./face.js";
import { fieldError, unmark } from "./fields.js";
import { mark } from "./mark.js";

const CROWD = [
  ["round", "coral", "joy", "none"],
  ["cat", "lilac", "surprise", "none"],
  ["square", "petrol", "trust", "glasses"],
  ["drop", "marigold", "anticipation", "leaf"],
  ["bean", "sky", "sadness", "none"],
  ["cloud", "rose", null, "bow"],
];

/** What a username is; an address, with which one may log in, is something else. */
const USERNAME = { pattern: "[A-Za-z0-9_\\-]{3,50}", minlength: 3, maxlength: 50 };

/** What the chat says of itself; a page of something else gives its own. */
const PITCH = {
  title: "Talk. Every word is an event.",
  words: "A chat whose database is its history: what is on your screen is folded from the log, live.",
  other: ["/voice/", "voice"],
};

/**
 * `key`: the API key of an application other than the default one. `notice`: why the page is shown; `onSession({ token, user, expires })`: somebody is in; `pitch`: a title, a sentence,
 * and address and name of the page beside this one. Gives the `element`, and
 * `offer(session)`, which offers to go on as who is logged in in another tab.
 */
export function welcome({ notice, onSession, key = null, pitch = PITCH }) {
  const api = new Api({ key });
  const wordmark = h("span", {}, "Klatsch");
  const others = h("div", { class: "others" });
  const offer = ({ name, ...opened }) =>
    others.append(
      h("button", { type: "button", class: "quiet", onclick: () => onSession(opened) }, `Continue as ${name}`),
    );
  const card = form(api, notice, onSession, others);
  const element = h(
    "main",
    { class: "welcome" },
    h(
      "section",
      { class: "welcome-pitch" },
      h("div", { class: "wordmark large" }, mark(), wordmark),
      h("h1", {}, pitch.title),
      h("p", {}, pitch.words),
      h("p", { class: "welcome-more" }, h("a", { href: "/docs" }, "The API behind it"), key === null && [", ", otherPage(pitch.other)]),
      h(
        "div",
        { class: "crowd", "aria-hidden": "true" },
        CROWD.map(([shape, colour, emotion, extra]) => face({ shape, colour, extra }, emotion)),
      ),
    ),
    card.element,
  );
  if (key !== null) card.ask((name) => (wordmark.textContent = name));
  return { element, offer };
}

const otherPage = ([href, name]) => h("a", { href }, name);

function form(api, notice, onSession, others) {
  let joining = true;
  const username = field(
    "Username",
    {
      name: "username",
      autocomplete: "username",
      spellcheck: "false",
      autocapitalize: "none",
    },
    "3 to 50 letters, digits, _ or -",
  );
  const name = field(
    "Shown name",
    { name: "name", autocomplete: "name", maxlength: 100 },
    "What others read. Your username, if you leave it out.",
    false,
  );
  const email = field(
    "E-mail",
    { name: "email", type: "email", autocomplete: "email", maxlength: 254 },
    "To log in with, if you like. Nobody else sees it.",
    false,
  );
  const password = field("Password", { name: "password", type: "password", maxlength: 512 }, "At least 8 characters");
  const preview = h("div", { class: "welcome-face" });
  const error = h("p", { class: "form-error", role: "alert" }, notice ?? "");
  const note = h("p", { class: "card-note", role: "note", hidden: true });
  const submit = h("button", { class: "primary", type: "submit" });
  const heading = h("h2", {});
  const tabs = ["Create account", "Log in"].map((label, index) =>
    h("button", { type: "button", onclick: () => choose(index === 0) }, label),
  );
  const element = h(
    "form",
    { class: "card", onsubmit: send, "aria-label": "Create an account or log in" },
    others,
    h("div", { class: "segments" }, tabs),
    h("div", { class: "card-head" }, preview, heading),
    note,
    username.element,
    name.element,
    email.element,
    password.element,
    error,
    submit,
  );
  username.input.addEventListener("input", draw);

  function draw() {
    fill(preview, face(defaultModel(username.input.value || "klatsch"), joining ? "joy" : null));
  }

  function choose(value) {
    joining = value;
    for (const { input } of [username, name, email, password]) unmark(input);
    tabs.forEach((tab, index) => tab.setAttribute("aria-pressed", String(joining === (index === 0))));
    name.element.hidden = email.element.hidden = !joining;
    username.label.textContent = joining ? "Username" : "Username or e-mail";
    for (const [attribute, value] of Object.entries(USERNAME)) set(username.input, attribute, joining ? value : null);
    heading.textContent = joining ? "Who are you?" : "Welcome back";
    submit.textContent = joining ? "Create account" : "Log in";
    password.input.autocomplete = joining ? "new-password" : "current-password";
    password.input.minLength = joining ? 8 : 1;
    username.hint.hidden = password.hint.hidden = !joining;
    draw();
  }

  async function send(event) {
    event.preventDefault();
    submit.disabled = true;
    error.textContent = "";
    const body = { password: password.input.value };
    const who = username.input.value.trim();
    body[!joining && who.includes("@") ? "email" : "username"] = who;
    if (joining && name.input.value.trim()) body.name = name.input.value.trim();
    if (joining && email.input.value.trim()) body.email = email.input.value.trim();
    try {
      const { token, user, expires } = await api.do("POST", joining ? "/v1/users" : "/v1/sessions", body);
      onSession({ token, user: user.id, expires });
    } catch (problem) {
      const inputs = { username: username.input, name: name.input, email: joining ? email.input : username.input };
      submit.disabled = false;
      if (fieldError(problem, { ...inputs, password: password.input })) return;
      error.textContent = problem.detail ?? String(problem);
      username.input.focus();
    }
  }

  /** Asks which application this is: `named(name)`; where nobody may register, people only log in. */
  async function ask(named) {
    try {
      const { name: called, registration } = await api.get("/v1/app");
      named(called);
      if (registration) return;
      tabs[0].parentElement.hidden = true;
      choose(false);
      note.textContent = `${called} makes the accounts of its people by itself.`;
      note.hidden = false;
    } catch (problem) {
      submit.disabled = true;
      error.textContent = problem.detail ?? String(problem);
    }
  }

  choose(true);
  return { element, ask };
}

function field(label, props, hint, required = true) {
  const id = `field-${props.name}`;
  const input = h("input", { id, type: "text", required, "aria-describedby": `${id}-hint`, ...props });
  const note = h("small", { id: `${id}-hint` }, hint);
  const title = h("label", { for: id }, label);
  return { element: h("div", { class: "field" }, title, note, input), input, hint: note, label: title };
}
