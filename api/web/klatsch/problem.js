// Errors, the same over HTTP (RFC 9457 problem documents) and RPC (code and text).

export class Problem extends Error {
  /**
   * `code` is the last part of the problem's type: "taken", "forbidden" ... or "offline" without an answer; `errors` are
   * the places of the request that are wrong: `[{ pointer, expected, actual }]`, where they are known.
   */
  constructor(code, detail, { retryable = false, status = 0, errors = [] } = {}) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.detail = detail;
    this.retryable = retryable;
    this.status = status;
    this.errors = errors;
  }
}

/** Statuses after which the same request, with the same key, may be sent again. */
const RETRYABLE = new Set([429, 503, 504, 507]);
/** RPC codes of the same meaning: internal or unavailable, too many requests. Below 100 are the SDK's own: no answer. */
const RPC_RETRYABLE = new Set([100, 111]);

export async function ofResponse(response) {
  const text = await response.text();
  try {
    const { type, title, detail, errors } = JSON.parse(text);
    const options = { retryable: RETRYABLE.has(response.status), status: response.status, errors };
    return new Problem(type.split(":").pop(), detail ?? title, options);
  } catch {
    const detail = `The server answered ${response.status} without saying why.`;
    return new Problem("unexpected", detail, { retryable: response.status >= 500, status: response.status });
  }
}

/** An error of the SDK's `rpc`: its message is "code: detail". */
export function ofRpc(error) {
  const [, code, detail] = /^([a-z_]+): (.*)$/s.exec(error.message ?? "") ?? [null, "offline", error.message];
  return new Problem(code, detail, { retryable: error.code < 100 || RPC_RETRYABLE.has(error.code) });
}

export const offline = () => new Problem("offline", "The server does not answer. Trying again.", { retryable: true });
