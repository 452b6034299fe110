// What an app imports.

export { KlatschClient } from "./client.js";
export type { Change, Options, Status } from "./client.js";
export * from "./contract.js";
export { Problem, Unanswered } from "./problem.js";
export type { Signal } from "./signals.js";
export { unread } from "./fold.js";
export type { RoomEntry, State } from "./fold.js";
