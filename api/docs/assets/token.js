// The token that the forms send: made by logging in here, or pasted. Kept for this tab only, and never in an address.
const TOKEN = "klatsch.docs.token";
const NAME = "klatsch.docs.name";
const logIn = document.getElementById("log-in");
const tokenField = document.getElementById("token-field");
const who = document.getElementById("who");

function keepToken(token, name) {
  tokenField.value = token;
  for (const [key, value] of [
    [TOKEN, token],
    [NAME, name],
  ]) {
    if (value) sessionStorage.setItem(key, value);
    else sessionStorage.removeItem(key);
  }
  who.textContent = !token ? "Log in" : name || "Token pasted";
}

function sayOfToken(text, bad = false) {
  const said = document.getElementById("token-said");
  said.textContent = text;
  said.toggleAttribute("data-bad", bad);
}

/** Says below a field of the log-in what is wrong with it; nothing: takes back what was said. */
function sayOfField(field, text) {
  document.getElementById(field.getAttribute("aria-describedby")).textContent = text;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/** Shows why an answer is a problem: beside the fields it is about, and in one line what is about none of them. */
async function showProblem(response) {
  const problem = await response.json().catch(() => null);
  const { username, password } = logIn.elements;
  const fields = { "/username": username, "/email": username, "/password": password };
  const errors = problem?.errors ?? [];
  const placed = errors.filter(({ pointer }) => pointer in fields);
  for (const { pointer, expected, actual } of placed)
    sayOfField(fields[pointer], `Expected ${expected}; got ${actual}.`);
  if (placed.length) fields[placed[0].pointer].focus();
  if (!placed.length || placed.length < errors.length)
    sayOfToken(problem?.detail ?? `${response.status} ${response.statusText}`, true);
}

logIn.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, password } = logIn.elements;
  const who = username.value.trim();
  const path = event.submitter?.value || "/v1/sessions";
  const name = path === "/v1/sessions" && who.includes("@") ? "email" : "username";
  event.submitter && (event.submitter.disabled = true);
  sayOfToken("");
  for (const field of [username, password]) sayOfField(field, "");
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ [name]: who, password: password.value }),
    });
    if (!response.ok) return await showProblem(response);
    const { token, expires, user } = await response.json();
    password.value = "";
    keepToken(token, user.username);
    sayOfToken(`Logged in as ${user.username} until ${new Date(expires).toLocaleString()}.`);
  } catch (error) {
    sayOfToken(`The server did not answer: ${error.message}`, true);
  } finally {
    event.submitter && (event.submitter.disabled = false);
  }
});
logIn.addEventListener("input", (event) => sayOfField(event.target, ""));
tokenField.addEventListener("input", () => keepToken(tokenField.value.trim(), ""));
document.getElementById("token").hidden = false;
who.hidden = false;
keepToken(sessionStorage.getItem(TOKEN) ?? "", sessionStorage.getItem(NAME) ?? "");
