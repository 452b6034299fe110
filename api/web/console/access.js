// The operator's token: taken from the link's fragment, renewed while the page is open, sent with every request.

import { offline, ofResponse } from "../klatsch/problem.js";

/** Kept for a reload of this tab only. */
const KEY = "klatsch.console";
/** Share of a token's lifetime after which it is renewed, and the pause after a renewal that failed, in ms. */
const RENEW_AT = 0.6;
const AGAIN = 10_000;
/** How long an answer may take, in ms: a part that is away is waited for on the other side. */
const PATIENCE = 20_000;

/** The token of the link that was opened, else the one of before a reload; null when there is none. */
export function foundToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  // Out of the address at once: it is on the screen, and in the browser's history.
  if (given) history.replaceState(null, "", location.pathname);
  return given ?? sessionStorage.getItem(KEY);
}

export class Access {
  #timer = null;

  /** `onEnded(reason)`: the token is no longer good, and a new link is needed. */
  constructor(token, onEnded) {
    this.token = token;
    this.onEnded = onEnded;
  }

  /** Trades the token for the console's own, which lasts as long as the page is open. */
  async start() {
    await this.#renew();
  }

  get(path, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const text = new URLSearchParams(given).toString();
    return this.#json("GET", text ? `${path}?${text}` : path);
  }

  post(path, body = {}) {
    return this.#json("POST", path, JSON.stringify(body));
  }

  /** The response as it comes, for a stream. Throws a Problem for one that is an error. */
  async open(path, options = {}) {
    let response;
    const headers = { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" };
    try {
      response = await fetch(path, { cache: "no-store", ...options, headers });
    } catch (error) {
      if (error instanceof TypeError || error.name === "TimeoutError") throw offline();
      throw error;
    }
    if (response.ok) return response;
    const problem = await ofResponse(response);
    if (response.status === 401) this.#end(problem.detail);
    throw problem;
  }

  async #json(method, path, body) {
    return (await this.open(path, { method, body, signal: AbortSignal.timeout(PATIENCE) })).json();
  }

  async #renew() {
    const { token, seconds } = await this.post("/v1/console/token");
    this.token = token;
    sessionStorage.setItem(KEY, token);
    this.#after(seconds * 1000 * RENEW_AT);
  }

  #after(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () =>
        this.#renew().catch((problem) => {
          if (problem.status === 403) this.#end(problem.detail);
          else if (this.token) this.#after(AGAIN);
        }),
      pause,
    );
  }

  #end(reason) {
    clearTimeout(this.#timer);
    sessionStorage.removeItem(KEY);
    this.token = null;
    this.onEnded(reason);
  }
}
