// Errors of a call: a refusal (RFC 9457), or no answer at all.

import type { Problem as Document, ProblemCode } from "./contract.js";

const PREFIX = "urn:klatsch:problem:";
/** Statuses after which the same call may be sent again: it was not run, or it has a key. */
const PASSING = new Set([429, 503, 504]);
/** The SDK's own errors are below the server's codes. */
const SERVER_CODES = 100;

/** The server refuses. `code` is the end of `type`: "not_found", "rate_limited" ... */
export class Problem extends Error {
  readonly type: string;
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Seconds after which it may be tried again, where the server says so. */
  readonly retryAfter: number | undefined;

  constructor(document: Document) {
    super(`${document.title}: ${document.detail}`);
    this.name = "Problem";
    this.type = document.type;
    this.code = document.type.slice(PREFIX.length) as ProblemCode;
    this.status = document.status;
    this.title = document.title;
    this.detail = document.detail;
    this.retryAfter = document.retry_after;
  }

  get passing(): boolean {
    return PASSING.has(this.status);
  }
}

/** No answer came: it may have happened or not. The same call with the same key or `client_id` finds out. */
export class Unanswered extends Error {
  constructor(
    readonly method: string,
    /** The `client_id` or `idempotency_key` that was sent, if any. */
    readonly key: string | undefined,
    reason: string,
  ) {
    super(`${method}: no answer (${reason})`);
    this.name = "Unanswered";
  }
}

/** What the SDK's `rpc` rejects with: see `sdk.ts`. */
export function fromSdk(error: unknown, method: string, key: string | undefined): Problem | Unanswered {
  const { code = 0, message = String(error) } = error as { code?: number; message?: string };
  if (code < SERVER_CODES) return new Unanswered(method, key, message);
  if (message.startsWith("{")) return new Problem(JSON.parse(message) as Document);
  // Of the connection itself, like too many calls at once.
  const status = code === 100 || code === 111 ? 503 : 400;
  const type = `${PREFIX}${code === 111 ? "overloaded" : "internal"}`;
  return new Problem({ type, title: message, status, detail: message, request_id: "" });
}
