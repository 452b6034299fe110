// What the figures were over the last minutes: rates from counts that only grow, kept in the page.

/** How long samples are kept, and over how much a rate and a quantile are taken, in ms. */
export const KEPT = 15 * 60_000;
const RATE = 2_500;
const QUANTILES = 10_000;

const COUNTS = ["commands", "refused", "deliveries"];

export class History {
  /** `{ at, values }`, the oldest first; a value is null where it is not known. */
  samples = [];
  #looks = [];

  /** Takes the server's figures in and gives the sample. */
  add(figures) {
    const look = { at: Date.parse(figures.at), ends: ends(figures.shards), processes: processes(figures.processes) };
    const last = this.#looks.at(-1);
    if (last && look.at <= last.at) return this.samples.at(-1);
    this.#looks.push(look);
    while (this.#looks[0].at < look.at - QUANTILES) this.#looks.shift();
    const before = this.#looks.find(({ at }) => at >= look.at - RATE && at < look.at) ?? last;
    const values = { ...rates(before, look), ...quantiles(this.#looks[0], look), ...lags(figures.shards) };
    this.samples.push({ at: look.at, values });
    while (this.samples[0].at < look.at - KEPT) this.samples.shift();
    return this.samples.at(-1);
  }
}

function ends(shards) {
  const found = {};
  for (const { topic, end } of shards) {
    if (end !== null) found[topic] = (found[topic] ?? 0) + end;
  }
  return found;
}

/** By one run of a process: what it counts starts again with it. */
function processes(all) {
  return new Map(all.filter((one) => one.answering).map((one) => [`${one.address} ${one.started}`, one]));
}

function rates(before, now) {
  const values = { commands: null, refused: null, deliveries: null };
  if (!before) return values;
  const seconds = (now.at - before.at) / 1000;
  for (const [topic, end] of Object.entries(now.ends)) {
    values[`events.${topic}`] = topic in before.ends ? Math.max(0, end - before.ends[topic]) / seconds : null;
  }
  for (const name of COUNTS) values[name] = grown(before, now, (one) => one.counts[name]) / seconds;
  return values;
}

/** By how much a count grew in all processes that were there at both times. */
function grown(before, now, of) {
  let sum = 0;
  for (const [run, one] of now.processes) {
    const then = before.processes.get(run);
    if (then) sum += Math.max(0, (of(one) ?? 0) - (of(then) ?? 0));
  }
  return sum;
}

function quantiles(before, now) {
  const all = [...now.processes.values()].find((one) => one.requests.bounds.length);
  if (!all || before === now) return { p50: null, p99: null };
  const { bounds } = all.requests;
  const counts = [...bounds, Infinity].map((_, place) => grown(before, now, (one) => one.requests.counts[place]));
  return { p50: quantile(bounds, counts, 0.5), p99: quantile(bounds, counts, 0.99) };
}

/** The value, in ms, below which this share of a cumulative histogram lies; null when it is empty. */
export function quantile(bounds, counts, share) {
  const wanted = counts.at(-1) * share;
  if (!counts.at(-1)) return null;
  const place = counts.findIndex((count) => count >= wanted);
  if (place >= bounds.length) return bounds.at(-1) * 1000;
  const [low, below] = place ? [bounds[place - 1], counts[place - 1]] : [0, 0];
  const part = counts[place] > below ? (wanted - below) / (counts[place] - below) : 1;
  return (low + (bounds[place] - low) * part) * 1000;
}

function lags(shards) {
  const values = { "lag.read_models": null, "lag.feed": null };
  for (const { end, applied, feed_lag: feed } of shards) {
    if (end !== null && applied !== null) values["lag.read_models"] += Math.max(0, end - applied);
    if (feed !== null) values["lag.feed"] += feed;
  }
  return values;
}
