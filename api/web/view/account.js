// One's account: the e-mail address, the password, and where one is logged in.

import { dialog } from "./dialog.js";
import { fill, h, text } from "./dom.js";
import { editCharacter } from "./editor.js";
import { field, fieldError } from "./fields.js";
import { dayTime } from "./format.js";
import { at } from "./names.js";
import { tried } from "./toasts.js";

export function editAccount(app) {
  const address = emailForm(app);
  const adding = addedByChoice(app);
  const sessions = sessionList(app);
  const box = dialog("Your account", (close) => [
    h("p", { class: "card-facts" }, [app.store.state.me.name, at(app.store.state.me)].filter(Boolean).join(", ")),
    h(
      "button",
      { type: "button", class: "quiet", onclick: () => (close(), editCharacter(app)) },
      "Edit your character",
    ),
    address.element,
    adding.element,
    h("h3", {}, "Where you are logged in"),
    sessions.element,
  ]);
  const update = () => (address.update(), adding.update());
  box.addEventListener("close", app.store.watch(update));
  update();
  sessions.fetch();
}

function emailForm(app) {
  const email = h("input", { id: "account-email", type: "email", maxlength: 254, autocomplete: "email" });
  const password = h("input", {
    id: "account-password",
    type: "password",
    required: true,
    maxlength: 512,
    autocomplete: "current-password",
  });
  const now = h("p", { class: "card-facts" });
  const error = h("p", { class: "form-error", role: "alert" });
  const save = h("button", { type: "submit", class: "quiet" }, "Save the address");
  const element = h(
    "form",
    { class: "email", onsubmit: submit },
    h("h3", {}, "E-mail"),
    now,
    field("New address", email, "To log in with. Nobody else sees it. Empty: none from here on."),
    field("Your password", password),
    error,
    h("div", { class: "actions end" }, save),
  );

  async function submit(event) {
    event.preventDefault();
    error.textContent = "";
    save.disabled = true;
    try {
      const change = { email: email.value.trim() || null, password: password.value };
      app.store.learn(await app.api.do("PATCH", "/v1/users/me", change));
      email.value = password.value = "";
    } catch (problem) {
      if (!fieldError(problem, { email, password })) error.textContent = problem.detail ?? String(problem);
    }
    save.disabled = false;
  }

  const update = () => text(now, app.store.state.me.email ?? "You have given no address.");
  return { element, update };
}

const ADDED_BY = {
  "": "As the installation has it",
  everyone: "Everyone",
  contacts: "My friends, and people in rooms that I came to",
  nobody: "Nobody",
};

/** Who may add me to rooms at once. */
function addedByChoice(app) {
  const options = Object.entries(ADDED_BY).map(([value, label]) => h("option", { value }, label));
  const select = h("select", { id: "account-added-by", onchange: save }, options);
  const element = field("Who may add you to rooms", select, "All others invite you.");

  async function save() {
    const change = { added_by: select.value || null };
    await tried(async () => app.store.learn(await app.api.do("PATCH", "/v1/users/me", change)));
    update();
  }

  const update = () => (select.value = app.store.state.me.added_by ?? "");
  return { element, update };
}

function sessionList(app) {
  const element = h("ul", { class: "sessions", "aria-label": "Sessions" });

  async function fetch() {
    await tried(async () => {
      const { sessions } = await app.api.get("/v1/sessions");
      fill(element, sessions.map(row));
    });
  }

  function row({ id, opened, expires, current }) {
    const end = async () => {
      if (await tried(() => app.api.do("DELETE", `/v1/sessions/${id}`))) await fetch();
    };
    return h(
      "li",
      {},
      h(
        "span",
        {},
        h("strong", {}, current ? "This window" : "Another one"),
        h("small", {}, `since ${dayTime(opened)}, until ${dayTime(expires)}`),
      ),
      current ? null : h("button", { type: "button", class: "quiet danger", onclick: end }, "Log out"),
    );
  }

  return { element, fetch };
}
