// The samples that the charts show: those of the server from before the page was opened, then one with each figures.

/** How long samples are kept, in ms. */
const KEPT = 15 * 60_000;

export class History {
  /** `{ at, values }`, the oldest first; a value is null where it is not known. */
  samples = [];

  /** Puts what the server has kept before what came since. */
  begin(kept) {
    const first = this.samples[0]?.at ?? Infinity;
    this.samples = [...kept.filter(({ at }) => at < first), ...this.samples];
  }

  add(sample) {
    if (sample.at > (this.samples.at(-1)?.at ?? -Infinity)) this.samples.push(sample);
    while (this.samples[0].at < sample.at - KEPT) this.samples.shift();
  }
}
