// What outlives a reload. In sessionStorage, which belongs to one tab: two tabs can be two people, a reload goes on where
// it was, and closing the tab leaves no token behind on the machine. Logging out clears all of it; a session that ran out
// leaves what its user had not sent yet, or half written. And what keeps a session from running out: its renewal.

import { ofApp } from "./application.js";

const KEYS = {
  session: ofApp("klatsch.session"),
  state: ofApp("klatsch.state"),
  outbox: ofApp("klatsch.outbox"),
  drafts: ofApp("klatsch.drafts"),
};

/** Pause before a renewal that failed for want of an answer is tried again, in ms. */
const AGAIN = 5000;
/** The longest a browser's timer takes, in ms; it would fire at once after a longer one. */
const LONGEST = 2 ** 31 - 1;

/** `{ token, user, expires }`, or null. */
export function loadSession() {
  const session = read(KEYS.session);
  if (session && Date.parse(session.expires) > Date.now()) return session;
  endSession();
  return null;
}

export const saveSession = (session) => write(KEYS.session, JSON.stringify(session));
export const loadState = () => sessionStorage.getItem(KEYS.state);
export const saveState = (text) => write(KEYS.state, text);

/** What the user had not sent yet; what another one left is dropped. */
export const loadOutbox = (user) => loadOf(KEYS.outbox, user);
export const saveOutbox = (user, entries) => saveOf(KEYS.outbox, user, entries);

/** What the user has half written: pairs of room and text. */
export const loadDrafts = (user) => loadOf(KEYS.drafts, user);
export const saveDrafts = (user, entries) => saveOf(KEYS.drafts, user, entries);

function loadOf(key, user) {
  const kept = read(key);
  if (kept && kept.user === user) return kept.entries;
  sessionStorage.removeItem(key);
  return [];
}

function saveOf(key, user, entries) {
  if (entries.length) write(key, JSON.stringify({ user, entries }));
  else sessionStorage.removeItem(key);
}

/** After a session that ran out: outbox and drafts stay for when the same user logs in again. */
export function endSession() {
  sessionStorage.removeItem(KEYS.session);
  sessionStorage.removeItem(KEYS.state);
}

export function clearSession() {
  for (const key of Object.values(KEYS)) sessionStorage.removeItem(key);
}

/** Renews the token of a session at half of the life that is left, and whenever it is needed. */
export class Renewal {
  #api;
  #session;
  #timer = null;
  #running = null;

  /** `session` as loaded; `api` uses the new tokens too, and is told by the server when there are no more. */
  constructor(api, session) {
    this.#api = api;
    this.#session = session;
  }

  start() {
    const left = Date.parse(this.#session.expires) - Date.now();
    this.#wait(Math.max(1000, left / 2));
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#api = null;
  }

  /** A token other than `used`. Throws a Problem; its status is 401 when the session is over. */
  async after(used) {
    if (this.#session.token === used) await this.#renew();
    return this.#session.token;
  }

  #wait(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.min(pause, LONGEST));
  }

  /** Late, when the machine slept: then the server tells whether the session is over. */
  async #tick() {
    try {
      await this.#renew();
    } catch (problem) {
      // Over: the API has told it already.
      if (problem.status !== 401 && this.#api) this.#wait(AGAIN);
    }
  }

  /** One renewal at a time, whoever asks for it. */
  #renew() {
    this.#running ??= this.#once().finally(() => (this.#running = null));
    return this.#running;
  }

  async #once() {
    const { token, expires } = await this.#api.do("POST", "/v1/sessions/current/renewal");
    // Logged out meanwhile: nothing is to be kept.
    if (!this.#api) return;
    this.#session = { ...this.#session, token, expires };
    this.#api.token = token;
    saveSession(this.#session);
    this.start();
  }
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
