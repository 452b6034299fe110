// One's place in a channel: listens, connects to the server that is named, and does so again when it is lost.

import { decode, encode } from "./message.js";

/** Milliseconds from one listen to the next: the server takes one every two seconds. */
const PAUSE = 2100;
/** Bytes that may wait to be sent: what is said beyond is late anyway. */
const WAITING = 32 * 1024;
/** Endings after which nobody listens again, with words; all others are the server's, and pass. */
const FINAL = {
  quit: "You have left.",
  channel_deleted: "The channel was deleted.",
  channel_full: "The channel is full. Join again when somebody has left.",
  connected_elsewhere: "You are in a channel in another window.",
  malformed: "The server did not understand this page. Reload it.",
  frame_too_large: "The server did not understand this page. Reload it.",
  user_id_forged: "The server did not understand this page. Reload it.",
};
/** What a refused listen comes to, by the problem's code; of others the server's words are shown. */
const REFUSED = { too_many: FINAL.channel_full, not_found: FINAL.channel_deleted };
const LOST = "The connection is lost. Joining again…";

export class Call {
  #api;
  #on;
  #socket = null;
  /** Which join is the latest: an earlier one does nothing any more. */
  #turn = 0;
  #next = 0;

  /**
   * `on`: `state(name, words)` with `joining`, `in`, `again` or `out`, and `frame(message)` for what others say.
   */
  constructor(api, on) {
    this.#api = api;
    this.#on = on;
  }

  /** Until one has left, or cannot be in it. */
  async join(channel) {
    this.leave();
    const turn = this.#turn;
    this.#on.state("joining", "Joining…");
    while (turn === this.#turn) {
      await this.#pace();
      if (turn !== this.#turn) return;
      const { final, words } = await this.#once(channel, turn);
      if (turn !== this.#turn) return;
      if (final) this.#turn += 1;
      this.#on.state(final ? "out" : "again", words);
    }
  }

  leave() {
    this.#turn += 1;
    this.#socket?.close(1000);
    this.#socket = null;
  }

  /** Says a frame; nothing while one is not in, or what was said before is not out. */
  send(timestamp, data) {
    const socket = this.#socket;
    if (socket?.number && socket.readyState === WebSocket.OPEN && socket.bufferedAmount < WAITING)
      socket.send(encode({ timestamp, data }));
  }

  async #pace() {
    const wait = this.#next - Date.now();
    this.#next = Math.max(this.#next, Date.now()) + PAUSE;
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }

  /** One listen, and being in until it ends. Returns whether that is final, and why. */
  async #once(channel, turn) {
    let told;
    try {
      told = await this.#api.once("POST", `/v1/channels/${channel}/listen`);
      // Listens are told apart by when they are written, which was at the latest now.
      this.#next = Date.now() + PAUSE;
    } catch (problem) {
      if (!problem.detail) throw problem;
      return { final: !problem.retryable, words: REFUSED[problem.code] ?? problem.detail };
    }
    if (turn !== this.#turn) return {};
    if (!told.url) return { final: true, words: "The server of this channel takes no browsers." };
    return this.#talk(told, turn);
  }

  #talk({ url, token }, turn) {
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(token);
    socket.onmessage = ({ data }) => {
      if (turn !== this.#turn) return;
      if (typeof data !== "string") return this.#on.frame(decode(new Uint8Array(data)));
      socket.number = JSON.parse(data).number;
      this.#on.state("in", "You are in.", socket.number);
    };
    return new Promise((resolve) => {
      socket.onclose = ({ reason }) => {
        if (this.#socket === socket) this.#socket = null;
        const type = typeOf(reason);
        resolve(type in FINAL ? { final: true, words: FINAL[type] } : { final: false, words: LOST });
      };
    });
  }
}

/** The type in a close frame's reason; empty where there is none, as when the connection broke. */
function typeOf(reason) {
  try {
    return JSON.parse(reason).type ?? "";
  } catch (error) {
    if (error instanceof SyntaxError) return "";
    throw error;
  }
}
