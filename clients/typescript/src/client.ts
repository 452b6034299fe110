// A user's connection: calls with types, and the state that snapshot and deltas make. The SDK reconnects, and asks for
// what was missed since its place; a place that is lost is answered with a snapshot.

import { UnauthorizedError } from "centrifuge";
import type { Delta, MembersListAnswer, MemberWithUser, Repeat, RoomMember, Rpc, Snapshot } from "./contract.js";
import { makeRpc } from "./contract.js";
import type { State } from "./fold.js";
import { fold, fromSnapshot, has, refold, takeMembers, takePage } from "./fold.js";
import { Problem, Unanswered, fromSdk } from "./problem.js";
import { Sdk } from "./sdk.js";
import type { Signal } from "./signals.js";
import { TYPING_MS, foldSignal, forgetSignals } from "./signals.js";

export type Status = "connecting" | "online" | "ended";

/** What has changed: the state by a delta, a snapshot, a page (of it, or of a room's members), or a signal; or the status. */
export type Change =
  | { what: "delta"; delta: Delta }
  | { what: "snapshot" | "page" }
  | { what: "signal"; signal: Signal }
  | { what: "status"; status: Status };

export type Options = {
  /** A token of the user's session, a fresh one whenever it is asked; null when there is none any more. */
  getToken: () => Promise<string | null>;
  /** What an earlier client held, to go on from there. */
  state?: State;
  /** Where there is no global one, like Node before 22: that of `ws`. */
  websocket?: unknown;
  /** Told of what goes wrong beside calls: a listener that throws, a page that could not be read, no token. */
  onError?: (error: unknown) => void;
};

/** A place that no stream has: the server answers with a snapshot. */
const NOWHERE = { offset: 0, epoch: "" };
/** Close code of a token that is void: another one helps, the same one does not. */
const VOID = 3500;
/** Pauses before a call is sent again, in ms, and the longest for which a call waits because the server says so. */
const PAUSES = [300, 1000, 2500, 5000];
const LONGEST = 10_000;

export class KlatschClient {
  readonly rpc: Rpc = makeRpc((method, params, repeat) => this.#call(method, params, repeat));
  /** Null until the first snapshot has come. Changed in place: watch it. */
  state: State | null;
  status: Status = "ended";
  readonly #sdk: Sdk;
  readonly #options: Options;
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>();
  /**
   * For each answer that is on its way: the deltas that were news since it was asked for. One that the state had is in
   * the answer too, and so is what undid it: folded once more it would bring back what is gone.
   */
  readonly #hearings = new Set<Delta[]>();
  #paging = false;
  #token = "";
  #refused = "";

  /** `url`: `ws://host:port/v1/connection`, or `wss://`. */
  constructor(url: string, options: Options) {
    this.#options = options;
    this.state = options.state ?? null;
    const since = this.state ? { offset: this.state.cursor, epoch: this.state.epoch } : NOWHERE;
    this.#sdk = new Sdk(url, {
      getToken: () => this.#newToken(),
      data: { since },
      name: "klatsch-client",
      minReconnectDelay: 200,
      ...(options.websocket === undefined ? {} : { websocket: options.websocket }),
    });
    this.#sdk.on("connecting", () => this.#say("connecting"));
    this.#sdk.on("subscribed", ({ wasRecovering, recovered }) => {
      if (this.state) forgetSignals(this.state);
      // With a lost place the next publication is a snapshot.
      if (!wasRecovering || recovered) this.#online();
    });
    this.#sdk.on("publication", ({ data, offset }) => this.#publication(data, Number(offset ?? 0)));
    this.#sdk.on("disconnected", ({ code }) => this.#disconnected(code));
    this.#sdk.on("error", ({ error }) => this.#failed(error));
  }

  /** Resolves with the state, once it is whole or its first page is there. Rejects when the session is over. */
  connect(): Promise<State> {
    if (this.status === "online" && this.state) return Promise.resolve(this.state);
    const found = new Promise<State>((resolve, reject) => {
      const stop = this.watch((change) => {
        if (change.what !== "status" || change.status === "connecting") return;
        stop();
        if (change.status === "online" && this.state) resolve(this.state);
        else reject(new Unanswered("connect", undefined, "the session is over"));
      });
    });
    this.#sdk.connect();
    return found;
  }

  close(): void {
    this.#sdk.disconnect();
  }

  /** `listener` is called after each change. Returns how to stop. */
  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * All members of a room, with how far each has read: held in `state.rooms[room].members` from now on, until a snapshot
   * takes the state's place. How far others have read is told in rooms of at most 50.
   */
  async members(room: string): Promise<Record<string, RoomMember>> {
    for (;;) {
      const { state } = this;
      const entry = state?.rooms[room];
      if (!state || !entry) throw new Error(`expected a room that is held, got ${room}`);
      const [found, heard] = await this.#hearing(() => this.#allMembers(state, room));
      // Else a snapshot came meanwhile, or the user left and came back.
      if (state !== this.state || state.rooms[room] !== entry) continue;
      takeMembers(state, entry, found);
      for (const delta of heard) if (delta.stream === room) refold(state, delta);
      this.#tell({ what: "page" });
      return entry.members ?? {};
    }
  }

  async #allMembers(state: State, room: string): Promise<MemberWithUser[]> {
    // The answer includes all that the state has.
    const position = Object.entries(state.vector).map(([shard, offset]) => `${shard}/${offset}`).join(",");
    const found: MemberWithUser[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const params: object = { room, position, ...(cursor && { cursor }) };
      const page: MembersListAnswer = await this.#call("members.list", params, "read");
      found.push(...page.members);
      cursor = page.next;
    }
    return found;
  }

  /** What `ask` answers, and the deltas that were news since it was asked. */
  async #hearing<T>(ask: () => Promise<T>): Promise<[T, Delta[]]> {
    const heard: Delta[] = [];
    this.#hearings.add(heard);
    try {
      return [await ask(), heard];
    } finally {
      this.#hearings.delete(heard);
    }
  }

  async #newToken(): Promise<string> {
    const token = await this.#options.getToken();
    if (token === null) throw new UnauthorizedError("no session");
    return (this.#token = token);
  }

  #disconnected(code: number): void {
    if (code === VOID && this.#token !== this.#refused) {
      // The session was closed: perhaps the app has, or opens, another one.
      this.#refused = this.#token;
      this.#sdk.setToken("");
      this.#sdk.connect();
    } else this.#say("ended");
  }

  #publication(data: Delta | Signal | { type: "snapshot"; data: Snapshot }, offset: number): void {
    // An exception in a handler would end the SDK's connection for good.
    try {
      if ("signal" in data) this.#signal(data);
      else if (data.type === "snapshot") {
        this.state = fromSnapshot(data.data);
        this.#tell({ what: "snapshot" });
        this.#online();
      } else if (this.state) this.#delta(this.state, data, offset);
    } catch (error) {
      this.#failed(error);
      void this.#anew();
    }
  }

  /** What could not be taken in is in a fresh snapshot. */
  async #anew(): Promise<void> {
    try {
      const [found, heard] = await this.#hearing(() => this.#call<Snapshot>("sync.get", {}, "read"));
      const state = fromSnapshot(found);
      for (const delta of heard) fold(state, delta);
      this.state = state;
      this.#tell({ what: "snapshot" });
      this.#online();
    } catch (error) {
      this.#failed(error);
    }
  }

  #delta(state: State, delta: Delta, offset: number): void {
    if (!has(state, delta)) for (const heard of this.#hearings) heard.push(delta);
    const news = fold(state, delta);
    state.cursor = offset;
    const typing = state.typing[delta.stream];
    if (delta.type === "message.posted" && typing) {
      state.typing[delta.stream] = typing.filter((user) => user !== delta.actor);
    }
    if (news) this.#tell({ what: "delta", delta });
  }

  #signal(signal: Signal): void {
    const { state } = this;
    if (!state) return;
    foldSignal(state, signal);
    if (signal.signal === "typing") {
      clearTimeout(this.#typing.get(signal.room));
      this.#typing.delete(signal.room);
      // While somebody types it is said again; one that says so may be lost.
      const over: Signal = { ...signal, users: [] };
      if (signal.users.length) this.#typing.set(signal.room, setTimeout(() => this.#signal(over), TYPING_MS));
    }
    this.#tell({ what: "signal", signal });
  }

  #online(): void {
    this.#say("online");
    if (!this.#paging) void this.#pages();
  }

  /** The snapshot's further pages, one after the other. */
  async #pages(): Promise<void> {
    this.#paging = true;
    while (this.state?.next && this.status !== "ended") {
      const { state } = this;
      const cursor = this.state.next;
      try {
        const [page, heard] = await this.#hearing(() => this.rpc.sync.get({ cursor }));
        // A snapshot that came meanwhile is newer.
        if (state !== this.state) continue;
        takePage(state, page);
        for (const delta of heard) refold(state, delta);
        this.#tell({ what: "page" });
      } catch (error) {
        this.#failed(error);
        await pause(LONGEST);
      }
    }
    this.#paging = false;
  }

  async #call<T>(method: string, params: object, repeat: Repeat): Promise<T> {
    const name = repeat === "key" ? "idempotency_key" : repeat;
    const given: { [name: string]: unknown } = { ...params };
    // The same for each attempt, so that it happens once.
    if (repeat === "key" || repeat === "client_id") given[name] ??= newKey();
    const key = typeof given[name] === "string" ? given[name] : undefined;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return (await this.#sdk.rpc(method, given)).data as T;
      } catch (error) {
        const failed = fromSdk(error, method, key);
        const passing = !(failed instanceof Problem) || failed.passing;
        const wait = Math.max(PAUSES[attempt] ?? Infinity, failed instanceof Problem ? (failed.retryAfter ?? 0) * 1000 : 0);
        if (repeat === "never" || !passing || wait > LONGEST || this.status === "ended") throw failed;
        await pause(wait);
      }
    }
  }

  #say(status: Status): void {
    this.status = status;
    this.#tell({ what: "status", status });
  }

  #tell(change: Change): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.#options.onError?.(error);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** 128 random bits. (`crypto.randomUUID` is missing on plain http to another machine.) */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
