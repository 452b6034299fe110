// Making a room.

import { dialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { enterRoom } from "./entering.js";
import { descriptionInput, field, fieldError, nameInput, settingsFields } from "./fields.js";
import { askedWords } from "./invitations.js";
import { ROOM_ICONS } from "./names.js";
import { peoplePicker } from "./picker.js";
import { toast, worded } from "./toasts.js";

const DEFAULTS = { notifications: true, announcements: true, posting: "members", inviting: "members" };
const SLUG = "[a-z0-9]+(-[a-z0-9]+)*";

const TYPES = {
  public: "Anybody finds it and may join",
  private: "Only members see it, and let others in",
};

export function newRoom(app) {
  const picker = peoplePicker(app, "People");
  const box = dialog("New room", (close) => form(app, picker, close));
  box.addEventListener("close", picker.stop);
}

function form(app, picker, close) {
  const name = nameInput("room-name");
  name.autofocus = true;
  const description = descriptionInput("room-description");
  const slug = h("input", {
    id: "room-id",
    type: "text",
    maxlength: 100,
    pattern: SLUG,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    title: "Small letters, digits and single dashes between them",
  });
  const settings = settingsFields("room", DEFAULTS);
  const types = typeFields();
  const error = h("p", { class: "form-error", role: "alert" });
  const button = h("button", { class: "primary", type: "submit" }, "Make the room");

  async function submit(event) {
    event.preventDefault();
    error.textContent = "";
    button.disabled = true;
    try {
      const { room, invited } = await app.api.do("POST", "/v1/rooms", {
        type: types.value(),
        name: name.value.trim(),
        id: slug.value.trim() || undefined,
        description: description.value.trim() || undefined,
        settings: settings.values(),
        members: picker.chosen(),
      });
      await enterRoom(app, room.id);
      close();
      if (invited.length) toast(askedWords(app, invited));
    } catch (problem) {
      picker.refused(problem);
      if (!fieldError(problem, { name, description, id: slug })) error.textContent = worded(problem);
    }
    button.disabled = false;
  }

  return h(
    "form",
    { onsubmit: submit },
    field("Name", name),
    field("Description", description),
    types.element,
    picker.element,
    h(
      "details",
      { class: "more-settings" },
      h("summary", {}, "Address and settings"),
      field("Address", slug, "Small letters, digits and dashes; yours for ever. Left out: made by the server."),
      settings.element,
    ),
    error,
    h("div", { class: "actions end" }, button),
  );
}

function typeFields() {
  const inputs = Object.keys(TYPES).map((value, index) =>
    h("input", { type: "radio", name: "room-type", value, checked: !index, id: `room-${value}` }),
  );
  const element = h(
    "fieldset",
    { class: "field types" },
    h("legend", {}, "Who finds it"),
    inputs.map((input) =>
      h(
        "label",
        { class: "type", for: input.id },
        input,
        icon(ROOM_ICONS[input.value]),
        h(
          "span",
          {},
          h("strong", {}, input.value === "public" ? "Public" : "Private"),
          h("small", {}, TYPES[input.value]),
        ),
      ),
    ),
  );
  return { element, value: () => inputs.find((input) => input.checked).value };
}
