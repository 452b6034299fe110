// What outlives a reload. In sessionStorage, which belongs to one tab: two windows are two people, a reload goes on where
// it was, and closing the tab leaves no token behind on the machine. Logging out clears all of it.

const KEYS = { session: "klatsch.session", state: "klatsch.state", outbox: "klatsch.outbox" };

/** `{ token, user, expires }`, or null. */
export function loadSession() {
  const session = read(KEYS.session);
  return session && Date.parse(session.expires) > Date.now() ? session : null;
}

export const saveSession = (session) => write(KEYS.session, JSON.stringify(session));
export const loadState = () => sessionStorage.getItem(KEYS.state);
export const saveState = (text) => write(KEYS.state, text);
export const loadOutbox = () => read(KEYS.outbox) ?? [];
export const saveOutbox = (entries) => write(KEYS.outbox, JSON.stringify(entries));

export function clearSession() {
  for (const key of Object.values(KEYS)) sessionStorage.removeItem(key);
}

function read(key) {
  const text = sessionStorage.getItem(key);
  return text === null ? null : JSON.parse(text);
}

function write(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch (error) {
    // Over the browser's quota: what does not fit is fetched again after a reload.
    if (error.name !== "QuotaExceededError") throw error;
    sessionStorage.removeItem(key);
  }
}
