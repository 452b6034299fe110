// The push connection: the unmodified Centrifuge SDK, whose publications are folded into the store in order.

import "../vendor/centrifuge.js";
import { ofRpc } from "./problem.js";

/** Ends that only another token mends: the SDK's "unauthorized" (expired), the server's "invalid token" (or revoked). */
const REFUSED = new Set([1, 3500]);

export class Connection {
  #client;
  #store;
  #on;

  /**
   * `on.state(name)`: "connecting" the first time, "online", "lost" (connecting again), "behind" (the place was lost, a
   * snapshot is on its way) or "ended".
   * `on.signal(data)`: a publication without a place. `on.refused()`: the token is void. `on.broken(error)`: a
   * publication could not be folded.
   * `token` is for the first connect; `after(token)` gives another once it has ended, or throws a Problem.
   */
  constructor({ token, after, store, position, on }) {
    this.#store = store;
    this.#on = on;
    this.position = position;
    this.state = "connecting";
    const url = new URL("/v1/connection", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const { cursor, epoch } = store.state;
    this.#client = new globalThis.Centrifuge(url.href, {
      token,
      getToken: async () => {
        try {
          token = await after(token);
        } catch (problem) {
          // None is to be had: the SDK ends the connection. Without an answer it tries again.
          if (problem.status !== 401) throw problem;
          token = "";
        }
        return token;
      },
      name: "demo",
      // After a page reload the SDK knows nothing: the place of the saved state, or of the snapshot just fetched.
      data: { since: { offset: cursor, epoch } },
      minReconnectDelay: 200,
      maxReconnectDelay: 4000,
    });
    this.#client.on("connecting", () => this.state !== "connecting" && this.#set("lost"));
    this.#client.on("disconnected", ({ code }) => {
      this.#set("ended");
      if (REFUSED.has(code)) this.#on.refused();
    });
    this.#client.on("subscribed", (context) => this.#subscribed(context));
    this.#client.on("publication", (context) => this.#publication(context));
  }

  start() {
    this.#client.connect();
  }

  stop() {
    this.#client.removeAllListeners();
    this.#client.disconnect();
  }

  /** Runs an operation of the API on the connection. Throws a Problem. */
  async rpc(method, data) {
    try {
      const answer = (await this.#client.rpc(method, data)).data;
      this.position.add(answer.position);
      return answer;
    } catch (error) {
      throw ofRpc(error);
    }
  }

  #subscribed({ wasRecovering, recovered }) {
    // Not recovered: the server sends a snapshot as the next publication, which makes the state whole again.
    this.#set(wasRecovering && !recovered ? "behind" : "online");
  }

  #publication({ data, offset }) {
    // An exception in a handler would end the SDK's connection for good.
    try {
      if (data.signal) {
        this.#on.signal(data);
      } else if (data.type === "snapshot") {
        this.#store.replace(data.data);
        this.#set("online");
      } else {
        this.#store.apply(data, offset);
      }
    } catch (error) {
      this.#on.broken(error);
    }
  }

  #set(state) {
    this.state = state;
    this.#on.state(state);
  }
}
