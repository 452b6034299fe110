// The forms of the operations: sent to this installation, with the token above. What is answered is shown as text.
const SHOWN_HEADERS = [
  "Klatsch-Position",
  "Klatsch-Repeated",
  "Request-Id",
  "X-Request-Id",
  "RateLimit",
  "Retry-After",
  "ETag",
];
/** Characters of an answer that are shown: beyond it a browser takes long to lay them out. */
const SHOWN_CHARS = 200_000;
/** Parts of answers whose id the next operation needs. */
const REMEMBERED = ["room", "message", "visual", "session"];
/** A message's key in a body, and what stands before it. */
const CLIENT_ID = /("client_id"\s*:\s*")([^"]*)"/;
const tryForms = document.querySelectorAll(".try form");

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** The request of a form: `{ method, path, headers, body }`. Empty fields are left out. */
function filledIn(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = form.dataset.token && tokenField.value ? { Authorization: `Bearer ${tokenField.value.trim()}` } : {};
  for (const field of form.querySelectorAll("input[data-in]")) {
    const value = field.value.trim();
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (value && field.dataset.in === "query") query.set(field.name, value);
    else if (value) headers[field.name] = value;
  }
  const body = form.querySelector("textarea")?.value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { method: form.dataset.method, path: query.size ? `${path}?${query}` : path, headers, body };
}

/** What a form still needs: `{ field, text }`, or null. Where ids are from stands below their field. */
function missing(form) {
  for (const field of form.querySelectorAll("[required], [data-ids]")) {
    const ids = field.dataset.ids?.split(" ").filter((name) => blankMember(name).test(field.value)) ?? [];
    const names = field.required && !field.value.trim() ? [field.name] : ids;
    if (!names.length) continue;
    const hint = document.getElementById(field.getAttribute("aria-describedby"))?.textContent ?? "";
    return { field, text: `Not sent: ${names.join(", ")} is empty. ${hint}` };
  }
  return null;
}

/** A member of a body that waits for an id. */
function blankMember(name) {
  return new RegExp(`("${name}": *)""`, "g");
}

/** Asks before what takes something away; true when it may be sent. */
function maySend(form, { method, path }) {
  if (!form.dataset.asks) return true;
  const dialog = document.getElementById("sure");
  document.getElementById("sure-what").textContent = `${method} ${path} changes or takes away what you may not get back.`;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

function pretty(text, type) {
  if (!/\bjson\b/.test(type)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** An answer as elements: status, headers, and last the `pre` into which its body goes. */
function answered(response, began) {
  const took = Math.round(performance.now() - began);
  const status = element("p", `${response.status} ${response.statusText}`, { class: "status" });
  status.toggleAttribute("data-bad", !response.ok);
  status.append(element("small", ` ${took} ms`));
  const list = document.createElement("dl");
  for (const name of SHOWN_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) list.append(element("dt", name), element("dd", value));
  }
  const body = element("pre", "", { tabindex: "0", role: "group", "aria-label": "Answer" });
  return [status, list, body];
}

async function showStream(response, body) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    body.textContent = (body.textContent + value).slice(-SHOWN_CHARS);
  }
}

async function showBody(response, body) {
  const text = await response.text();
  const shown = pretty(text, response.headers.get("Content-Type") ?? "");
  const cut = shown.length > SHOWN_CHARS ? `\n… ${shown.length - SHOWN_CHARS} more characters` : "";
  body.textContent = shown.slice(0, SHOWN_CHARS) + cut;
  body.hidden = !shown;
  if (response.ok && text) remember(JSON.parse(text));
}

/** A key of its own for what is sent now: with a used one only the same message is taken. One typed by hand stays. */
function freshKey(form) {
  const body = form.querySelector("textarea");
  const [, start, key] = CLIENT_ID.exec(body?.value ?? "") ?? [];
  if (key === undefined || key !== form.dataset.key) return;
  form.dataset.key = crypto.getRandomValues(new Uint32Array(2)).join("-");
  body.value = body.value.replace(CLIENT_ID, `${start}${form.dataset.key}"`);
}

/** Puts ids of what was just made or found into the fields that nobody has filled in. */
function remember(answer) {
  for (const name of REMEMBERED) {
    const id = answer[name]?.id;
    if (typeof id !== "string") continue;
    for (const form of tryForms) {
      const field = form.elements[name];
      if (field?.dataset.in === "path" && !field.dataset.touched) field.value = id;
      for (const body of form.querySelectorAll("[data-ids]"))
        for (const member of body.dataset.ids.split(" "))
          if (member.replace(/_id$/, "") === name) body.value = body.value.replace(blankMember(member), `$1"${id}"`);
    }
  }
}

async function tryIt(form, button, stop) {
  const place = form.querySelector(".answer");
  const lacks = missing(form);
  if (lacks) {
    place.replaceChildren(element("p", lacks.text, { "data-bad": "", role: "alert" }));
    return lacks.field.focus();
  }
  freshKey(form);
  const request = filledIn(form);
  if (!(await maySend(form, request))) return;
  const began = performance.now();
  place.replaceChildren(element("p", "Sending…"));
  button.textContent = "Stop";
  try {
    const { path, ...options } = request;
    const response = await fetch(path, { ...options, cache: "no-store", signal: stop.signal });
    const shown = answered(response, began);
    const streams = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!streams) await showBody(response, shown.at(-1));
    place.replaceChildren(...shown);
    announce(shown[0].textContent);
    if (streams) await showStream(response, shown.at(-1));
  } catch (error) {
    const text = error.name === "AbortError" ? "Stopped." : `No answer: ${error.message}`;
    place.append(element("p", text, { "data-bad": "" }));
  } finally {
    button.textContent = "Send";
  }
}

for (const form of tryForms) {
  const button = form.querySelector("button");
  let stop = null;
  form.dataset.key = CLIENT_ID.exec(form.querySelector("textarea")?.value ?? "")?.[2] ?? "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (stop) return stop.abort();
    stop = new AbortController();
    await tryIt(form, button, stop);
    stop = null;
  });
  form.addEventListener("input", (event) => (event.target.dataset.touched = "yes"));
  form.closest(".try").hidden = false;
}
for (const button of document.querySelectorAll("#sure button")) {
  button.addEventListener("click", () => document.getElementById("sure").close(button.value));
}
