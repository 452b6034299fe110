// The editor of one's visual character: its looks, and the emotions that it can show.

import { dialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { COLOURS, EMOTIONS, EXTRAS, SHAPES, face, modelOf } from "./face.js";
import { tried } from "./toasts.js";

export async function editCharacter(app) {
  const { me } = app.store.state;
  let visual = null;
  if (me.visual && !(await tried(async () => ({ visual } = await app.api.get(`/v1/visuals/${me.visual}`))))) return;
  const model = { ...modelOf(me, visual) };
  // A new character shows everything; what it may show is its owner's choice.
  const shows = new Set(Object.keys(EMOTIONS).filter((name) => !visual || supports(visual, name)));
  const stage = h("div", { class: "stage" });
  const redraw = [];

  function draw() {
    fill(stage, face(model));
    for (const one of redraw) one();
  }

  function choice(label, name, table, picture) {
    const options = Object.keys(table).map((value) => {
      const input = h("input", {
        type: "radio",
        name,
        value,
        checked: model[name] === value,
        onchange: () => ((model[name] = value), draw()),
      });
      const view = h("span", { class: "option" });
      redraw.push(() => fill(view, picture(value)));
      return h("label", { title: value }, input, view, h("span", { class: "unseen" }, value));
    });
    return h("fieldset", { class: "field options" }, h("legend", {}, label), h("div", { class: "swatches" }, options));
  }

  function swatch(value) {
    const spot = h("span", { class: "spot" });
    spot.style.background = COLOURS[value];
    return spot;
  }

  function emotions() {
    const options = Object.keys(EMOTIONS).map((name) => {
      const toggle = () => (box.checked ? shows.add(name) : shows.delete(name));
      const box = h("input", { type: "checkbox", checked: shows.has(name), onchange: toggle });
      const view = h("span", { class: "option" });
      redraw.push(() => fill(view, face(model, name)));
      return h("label", { class: "emotion" }, box, view, h("span", {}, name));
    });
    const hint = h(
      "p",
      { class: "hint" },
      "Your face shows these beside messages in which the emotion service finds them.",
    );
    return h(
      "fieldset",
      { class: "field options" },
      h("legend", {}, "Emotions it shows"),
      hint,
      h("div", { class: "emotions" }, options),
    );
  }

  async function save(event, close) {
    event.preventDefault();
    const emotion_data = Object.fromEntries(Object.keys(EMOTIONS).map((name) => [name, shows.has(name)]));
    const looks = { kind: "face", shape: model.shape, colour: model.colour, extra: model.extra };
    await tried(async () => {
      if (visual?.owner === app.user) {
        app.store.learn(await app.api.do("PATCH", `/v1/visuals/${visual.id}`, { model_data: looks, emotion_data }));
      } else {
        app.store.learn(await app.api.do("PUT", "/v1/users/me/visual", { model_data: looks, emotion_data }));
      }
      close();
    });
  }

  dialog(
    "Your character",
    (close) =>
      h(
        "form",
        { class: "editor", onsubmit: (event) => save(event, close) },
        stage,
        h(
          "div",
          { class: "editor-choices" },
          choice("Shape", "shape", SHAPES, (shape) => face({ ...model, shape, extra: "none" })),
          choice("Colour", "colour", COLOURS, swatch),
          choice("Extra", "extra", EXTRAS, (extra) => face({ ...model, extra })),
          emotions(),
        ),
        h("div", { class: "actions end" }, h("button", { type: "submit", class: "primary" }, "Save")),
      ),
    { wide: true },
  );
  draw();
}

/** As the server decides it: a value that is neither missing nor false nor null. */
function supports(visual, name) {
  const value = visual.emotion_data[name];
  return value !== undefined && value !== false && value !== null;
}
