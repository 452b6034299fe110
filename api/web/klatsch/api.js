// The HTTP API: bearer token, problems as errors, read-your-writes by position, repetition with an idempotency key.

import { offline, ofResponse } from "./problem.js";

/** Pauses before a request is repeated, in milliseconds. */
const PAUSES = [300, 1000, 2500];

/** A key that nobody else makes: 128 random bits. (`crypto.randomUUID` is missing on plain http to another machine.) */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Where this client's own commands stand: what a read must have reached. Shard -> next offset. */
export class Position {
  #vector = {};

  /** `text` is the header `Klatsch-Position` or `position` of an RPC's answer. */
  add(text) {
    for (const part of (text ?? "").split(",").filter(Boolean)) {
      const cut = part.lastIndexOf("/");
      const shard = part.slice(0, cut);
      this.#vector[shard] = Math.max(this.#vector[shard] ?? 0, Number(part.slice(cut + 1)));
    }
  }

  /** With `seen`, another vector that the read must have reached. */
  text(seen = {}) {
    const both = { ...this.#vector };
    for (const [shard, offset] of Object.entries(seen)) both[shard] = Math.max(both[shard] ?? 0, offset);
    return Object.entries(both)
      .map(([shard, offset]) => `${shard}/${offset}`)
      .join(",");
  }
}

export class Api {
  /** `onRefused()` is called when the token is no longer good; `key`: the API key of who has no token yet. */
  constructor({ token = null, key = null, onRefused = () => {} } = {}) {
    this.token = token;
    this.key = key;
    this.position = new Position();
    this.onRefused = onRefused;
  }

  /** A read. `seen`: a vector that the answer must include. */
  get(path, query = {}, seen = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const text = new URLSearchParams(given).toString();
    return this.#send("GET", text ? `${path}?${text}` : path, { "Klatsch-Position": this.position.text(seen) });
  }

  /** A command. It carries a key, so it happens once however often it must be sent. */
  do(method, path, body = {}) {
    const text = method === "DELETE" ? undefined : JSON.stringify(body);
    return this.#send(method, path, { "Idempotency-Key": newKey(), "Content-Type": "application/json" }, text);
  }

  /** A command that is sent once, whatever comes of it: for what has a pace of its own. */
  once(method, path, body = {}) {
    const headers = { "Idempotency-Key": newKey(), "Content-Type": "application/json" };
    return this.#once(method, path, headers, JSON.stringify(body));
  }

  async #send(method, path, headers, body) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(method, path, headers, body);
      } catch (error) {
        if (!error.retryable || attempt >= PAUSES.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSES[attempt]));
      }
    }
  }

  async #once(method, path, headers, body) {
    const all = Object.fromEntries(Object.entries(headers).filter(([, value]) => value));
    if (this.token) all.Authorization = `Bearer ${this.token}`;
    else if (this.key) all["Klatsch-Api-Key"] = this.key;
    let response;
    try {
      response = await fetch(path, { method, headers: all, body, cache: "no-store" });
    } catch (error) {
      if (error instanceof TypeError) throw offline();
      throw error;
    }
    if (response.ok) {
      if (method !== "GET") this.position.add(response.headers.get("Klatsch-Position"));
      return response.status === 204 ? null : response.json();
    }
    const problem = await ofResponse(response);
    if (response.status === 401 && this.token) this.onRefused(problem);
    throw problem;
  }
}
