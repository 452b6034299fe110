// Who is there, who types, who looks at a room, who is in live channels: told as it happens, and stored nowhere.

import type { Presence } from "./contract.js";
import type { ChannelMember, State } from "./fold.js";

export type Signal =
  | { signal: "presence"; users: Presence[] }
  | { signal: "typing"; room: string; users: string[] }
  | { signal: "watching"; room: string; count: number; users: string[] }
  | { signal: "channel"; channel: number; users: ChannelMember[] };

/** Milliseconds after the latest typing signal of a room from which on nobody types there. */
export const TYPING_MS = 6000;

/** Takes a signal in. */
export function foldSignal(state: State, signal: Signal): void {
  switch (signal.signal) {
    case "presence":
      for (const one of signal.users) state.presence[one.user] = one;
      break;
    case "typing":
      state.typing[signal.room] = signal.users;
      break;
    case "watching":
      state.watching[signal.room] = { count: signal.count, users: signal.users };
      break;
    case "channel":
      state.channels[signal.channel] = signal.users;
  }
}

/** A new connection is told who is there anew. */
export function forgetSignals(state: State): void {
  Object.assign(state, { presence: {}, typing: {}, watching: {}, channels: {} });
}
