// What is wrong, and what to do about it: pure, from the server's figures.

import { bytes, count, plural, seconds } from "./format.js";

/** Events by which a projector may be behind before it is worth a word, and before it is bad. */
export const BEHIND = { some: 2_000, much: 20_000 };
/** p99 of requests in ms that is worth a word. */
export const SLOW = 1_000;
/** Share of a disk below which it is nearly full. */
export const LOW = 0.1;
/** Seconds in which a process that has ended is usually there again: whoever runs it starts it again by itself. */
export const AGAIN = 15;

/** How many shards a problem names. */
const SOME = 4;

/** `[{ bad, text, todo }]`, the worst first. */
export function judge(figures) {
  const { sample } = figures;
  const found = [away, disks, processes, shards, behind, parked].flatMap((one) => [...one(figures)]);
  if (sample.values.p99 > SLOW) {
    const text = `Requests are slow: one in a hundred takes ${count(Math.round(sample.values.p99))} ms or more.`;
    found.push({
      bad: false,
      text,
      todo: "Look which process has no CPU left, and whether Kafka's or Postgres' disk is busy.",
    });
  }
  return found.sort((one, other) => Number(other.bad) - Number(one.bad));
}

/** A problem without its figures: the same as a second ago, though it may have grown. */
export const sameness = ({ bad, text }) => `${bad} ${text.replace(/[\d,.]+/g, "")}`;

/** Only those that were there at the look before too: a busy machine may miss one answer. */
export class Lasting {
  #before = new Set();

  of(problems) {
    const found = problems.filter((one) => this.#before.has(sameness(one)));
    this.#before = new Set(problems.map(sameness));
    return found;
  }
}

// What the server says in plain words stands for itself.
const fault = (name, why) => (why.startsWith(`${name} `) ? `${why}.` : `${name} does not answer (${why}).`);

function* away({ faults }) {
  if (faults.kafka) {
    const todo =
      "Look at its log (logs/kafka.log in the data folder, or your cluster's). Commands wait, then are refused; nothing is lost.";
    yield { bad: true, text: fault("Kafka", faults.kafka), todo };
  }
  if (faults.postgres) {
    const todo =
      "Look at its log (logs/postgres.log in the data folder, or your server's). The read models catch up once it is back.";
    yield { bad: true, text: fault("Postgres", faults.postgres), todo };
  }
}

// Roles of which one process must run, and what stands still without it.
const NEEDED = { project: "nothing new is read", feed: "nothing new is delivered" };

function* processes({ processes, faults }) {
  for (const one of processes) {
    if (!one.answering) {
      yield silent(one);
      continue;
    }
    for (const [name, part] of Object.entries(one.parts)) {
      // What all of them miss at once is said once.
      if (part.ok || name in faults) continue;
      const why = part.error ?? part.state ?? "not ready";
      yield {
        bad: true,
        text: `${name} at ${one.address} is not well: ${why}.`,
        todo: "The log of that process says more.",
      };
    }
  }
  for (const [role, todo] of Object.entries(NEEDED)) {
    if (faults.postgres || processes.some((one) => one.answering && one.roles.includes(role))) continue;
    const text = `No process with the role ${role} is known.`;
    if (processes.some((one) => !one.answering && one.roles?.includes(role) && lately(one))) {
      const then = `If not: start one with './klatsch serve --roles ${role}'`;
      yield { bad: true, text, todo: `${BY_ITSELF} ${then}; until then ${todo}.` };
    } else {
      yield { bad: true, text, todo: `Start a process with './klatsch serve --roles ${role}': until then ${todo}.` };
    }
  }
}

const BY_ITSELF = "'./klatsch up' starts what has ended again by itself, usually within seconds.";

/** Whether it was there a moment ago. */
const lately = ({ silent }) => silent !== null && silent < AGAIN;

function silent(one) {
  const { address, roles, error, silent, gone } = one;
  const first = lately(one) ? `${BY_ITSELF} ` : "";
  const who = `The process at ${address}${roles ? ` (${roles.join(", ")})` : ""}`;
  if (gone) {
    const todo = `${first}If it was stopped, this line goes by itself. If not: see './klatsch status' or its log.`;
    return { bad: false, text: `${who} has gone, no word since ${seconds(silent)}.`, todo };
  }
  const since = silent === null ? "" : `, no word since ${seconds(silent)}`;
  const look = first ? "If not: see" : "See";
  const todo = `${first}${look} './klatsch status' or its log. If it was stopped, this line goes as soon as others have noticed.`;
  return { bad: true, text: `${who} does not answer (${error}${since}).`, todo };
}

function* disks({ disks }) {
  for (const { folder, free, total, floor, state } of disks) {
    if (state === "good") continue;
    const left = `${bytes(free)} of ${bytes(total)} are free`;
    const todo = "Delete what is not needed on that disk, or make it larger; it then goes on by itself.";
    if (state === "full") {
      const text = `The disk of ${folder} is full: ${left}, ${bytes(floor)} must be. Nobody can send; reads and log-ins go on.`;
      yield { bad: true, text, todo };
    } else {
      const text = `The disk of ${folder} is nearly full: ${left}. Below ${bytes(floor)} nobody can send.`;
      yield { bad: false, text, todo };
    }
  }
}

function* shards({ shards }) {
  const free = shards.filter(({ owner }) => owner === null).map(({ topic, partition }) => `${topic}/${partition}`);
  if (!free.length) return;
  const todo = "It takes a moment after a process has gone. If it stays: is there a process with the role api?";
  const named = free.slice(0, SOME).join(", ") + (free.length > SOME ? ` and ${free.length - SOME} more` : "");
  yield { bad: true, text: `${plural(free.length, "part")} of the log (shards) without an owner: ${named}.`, todo };
}

function* behind({ sample }) {
  for (const [name, title] of [
    ["lag.read_models", "The read models are"],
    ["lag.feed", "The feed is"],
  ]) {
    const lag = sample.values[name] ?? 0;
    if (lag < BEHIND.some) continue;
    const todo =
      "After an import or a restart it falls by itself. If it rises: more CPU for Postgres, and for the process with the role project or feed.";
    yield { bad: lag >= BEHIND.much, text: `${title} ${plural(lag, "event")} behind.`, todo };
  }
}

function* parked({ parked }) {
  const streams = (parked ?? []).reduce((sum, one) => sum + one.streams, 0);
  if (!streams) return;
  const todo =
    "Read the error under “Waiting for a fix”, mend it, then retry: rooms and people there stand still until then.";
  yield { bad: false, text: `${plural(streams, "room or person", "rooms or people")} waiting for a fix (parked).`, todo };
}
