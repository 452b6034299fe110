// What is wrong, and what to do about it: pure, from the server's figures and the latest sample.

import { count, plural } from "./format.js";

/** Events by which a projector may be behind before it is worth a word, and before it is bad. */
const BEHIND = { some: 2_000, much: 20_000 };
/** p99 of requests in ms that is worth a word. */
const SLOW = 1_000;

/** `[{ bad, text, todo }]`, the worst first. */
export function judge(figures, sample) {
  const found = [...away(figures), ...processes(figures), ...shards(figures), ...behind(sample), ...parked(figures)];
  if (sample?.values.p99 > SLOW) {
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

function* away({ faults }) {
  if (faults.kafka) {
    const todo =
      "Look at its log (logs/kafka.log in the data folder, or your cluster's). Commands wait, then are refused; nothing is lost.";
    yield { bad: true, text: `Kafka does not answer (${faults.kafka}).`, todo };
  }
  if (faults.postgres) {
    const todo =
      "Look at its log (logs/postgres.log in the data folder, or your server's). The read models catch up once it is back.";
    yield { bad: true, text: `Postgres does not answer (${faults.postgres}).`, todo };
  }
}

// Roles of which one process must run, and what stands still without it.
const NEEDED = { project: "nothing new is read", feed: "nothing new is delivered" };

function* processes({ processes, faults }) {
  for (const one of processes) {
    if (!one.answering) {
      const todo =
        "See './klatsch status' or its log. If it was stopped, this line goes as soon as others have noticed.";
      yield { bad: true, text: `The process at ${one.address} does not answer (${one.error}).`, todo };
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
    yield {
      bad: true,
      text: `No process with the role ${role} is known.`,
      todo: `Start a process with './klatsch serve --roles ${role}': until then ${todo}.`,
    };
  }
}

function* shards({ shards }) {
  const free = shards.filter(({ owner }) => owner === null).map(({ topic, partition }) => `${topic}/${partition}`);
  if (!free.length) return;
  const todo = "It takes a moment after a process has gone. If it stays: is there a process with the role api?";
  yield { bad: true, text: `${plural(free.length, "shard")} without an owner: ${free.slice(0, 4).join(", ")}.`, todo };
}

function* behind(sample) {
  for (const [name, title] of [
    ["lag.read_models", "The read models are"],
    ["lag.feed", "The feed is"],
  ]) {
    const lag = sample?.values[name] ?? 0;
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
    "Read the error under “Parked streams”, mend it, then retry: rooms and people there stand still until then.";
  yield { bad: false, text: `${plural(streams, "stream")} parked.`, todo };
}
