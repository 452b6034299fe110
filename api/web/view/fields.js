// Fields of a room's forms: name, description, topic line and settings, the same where a room is made and where it is changed.

import { h } from "./dom.js";

/** A labelled field. `hint`: a line below it. */
export function field(label, input, hint = null) {
  const note = hint ? h("small", { id: `${input.id}-hint` }, hint) : null;
  if (note) input.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input, note);
}

/**
 * Shows a problem beside each field that it is about, of `inputs` by the server's names, and goes to the first. Returns
 * whether there is such a field, and none is needed besides.
 */
export function fieldError(problem, inputs) {
  Object.values(inputs).forEach(unmark);
  const found = [];
  for (const { pointer = "", expected, actual } of problem.errors ?? []) {
    const input = inputs[pointer.split("/")[1]];
    if (input) found.push([input, `Expected ${expected}; got ${actual}.`]);
  }
  for (const [input, words] of found.reverse()) mark(input, words);
  return found.length > 0 && found.length === problem.errors.length;
}

/** Says what is wrong below a field, until something else is in it. */
export function mark(input, words) {
  unmark(input);
  const note = h("p", { class: "form-error", role: "alert", id: `${input.id}-error` }, words);
  input.after(note);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-errormessage", note.id);
  input.addEventListener("input", () => unmark(input), { once: true });
  for (const closed of document.querySelectorAll("dialog details")) closed.open ||= closed.contains(input);
  input.focus();
}

/** Takes back what `mark` said. */
export function unmark(input) {
  input.parentElement?.querySelector(".form-error")?.remove();
  input.removeAttribute("aria-invalid");
  input.removeAttribute("aria-errormessage");
}

export function nameInput(id, value = "") {
  const input = h("input", { id, type: "text", required: true, maxlength: 100, autocomplete: "off" });
  input.value = value;
  return input;
}

export function descriptionInput(id, value = "") {
  const input = h("textarea", { id, rows: 2, maxlength: 2000 });
  input.value = value ?? "";
  return input;
}

/** What a room is about today: one line. */
export function topicLineInput(id, value = "") {
  const input = h("input", { id, type: "text", maxlength: 400, autocomplete: "off" });
  input.value = value ?? "";
  return input;
}

/** A switch: `element` to show, `input` to read. */
export function toggle(id, label, checked, onchange = () => {}) {
  const input = h("input", { id, type: "checkbox", role: "switch", class: "switch", checked, onchange });
  return { element: h("label", { class: "check", for: id }, h("span", {}, label), input), input };
}

/** The settings of a room: `element` to show, `values()` to send. */
export function settingsFields(id, settings, onchange = () => {}) {
  const notifications = toggle(`${id}-notify`, "Notify those who join", settings.notifications, onchange);
  const announcements = toggle(`${id}-announce`, "Announce joins and leavings", settings.announcements, onchange);
  const posting = toggle(`${id}-posting`, "Only admins write", settings.posting === "admins", onchange);
  const inviting = toggle(`${id}-inviting`, "Only admins let others in", settings.inviting === "admins", onchange);
  const all = { notifications, announcements, posting, inviting };
  const element = h(
    "fieldset",
    { class: "field settings" },
    h("legend", {}, "Settings"),
    Object.values(all).map((one) => one.element),
  );
  const values = () => ({
    notifications: notifications.input.checked,
    announcements: announcements.input.checked,
    posting: posting.input.checked ? "admins" : "members",
    inviting: inviting.input.checked ? "admins" : "members",
  });
  const show = (now) => {
    notifications.input.checked = now.notifications;
    announcements.input.checked = now.announcements;
    posting.input.checked = now.posting === "admins";
    inviting.input.checked = now.inviting === "admins";
  };
  return { element, values, show };
}

/** Settings in words, for those who cannot change them. */
export function settingsWords({ posting, inviting, announcements }) {
  return [
    posting === "admins" ? "Only admins write" : "All members write",
    inviting === "admins" ? "only admins let others in" : "all members let others in",
    announcements ? "joins and leavings are announced" : "joins and leavings are not announced",
  ].join(", ");
}
