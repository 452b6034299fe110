// The part of a room's messages that is on screen: the latest, or a stretch in the middle, never more than a page can
// hold. It grows at the end to which one scrolls, and is cut at the other.

/** The least height of a row, a notice, in pixels. */
const LOW = 28;
/** Messages by which the part grows. */
const STEP = 12;
/** How near an end of the part must be before it grows there, in pixels. */
export const AHEAD = 200;

export class Reader {
  #pages;
  /** Sequence numbers of the first and the last that are shown; null, Infinity: as many as fit, up to the latest. */
  #first = null;
  #last = Infinity;
  /** Messages that are shown at most. */
  #most = 0;

  constructor(pages) {
    this.#pages = pages;
    this.room = null;
    this.fit(0);
  }

  /**
   * Shows no more than a view of this height needs. However low the rows are, the end at which the part is cut stays
   * further away than `AHEAD`, so that it does not grow there again at once.
   */
  fit(height) {
    this.#most = Math.ceil((height + 2 * AHEAD) / LOW) + STEP;
  }

  /** Whether the latest messages are shown, and new ones as they come. */
  get following() {
    return this.#last === Infinity;
  }

  /** Shows the latest messages of a room. */
  enter(room) {
    this.room = room;
    this.#first = null;
    this.#last = Infinity;
  }

  /** What is shown, in order, and whether there is more at either end. With `trim`, what no longer fits goes. */
  shown(trim = false) {
    const { run, from, to, older, newer } = this.#part();
    let start = from;
    if (trim && this.following && to - from > this.#most + STEP) {
      start = to - this.#most;
      this.#first = run[start].seq;
    }
    return { messages: run.slice(start, to), older: older || start > 0, newer: newer || to < run.length };
  }

  /** Shows more at the upper end. */
  async back() {
    const { room } = this;
    let part = this.#part();
    if (!part.from && part.older) {
      await this.#pages.older(room, part.run[0]?.seq ?? null);
      if (room !== this.room) return;
      part = this.#part(part.run[part.from]?.seq);
    }
    const { run, from, to } = part;
    if (!run.length) return;
    const start = Math.max(0, from - STEP);
    this.#first = run[start].seq;
    if (to - start > this.#most) this.#last = run[start + this.#most - 1].seq;
  }

  /** Shows more at the lower end. */
  async forth() {
    const { room } = this;
    if (this.following) return;
    let part = this.#part();
    if (part.to === part.run.length && part.newer) {
      await this.#pages.newer(room, part.run.at(-1).seq);
      if (room !== this.room) return;
      part = this.#part();
    }
    this.#end(part, part.to + STEP);
    const { run, from } = part;
    const to = this.following ? run.length : Math.min(run.length, part.to + STEP);
    if (to - from > this.#most) this.#first = run[to - this.#most].seq;
  }

  /** Shows a message with what is around it. */
  async jump(seq) {
    const { room } = this;
    if (!this.#pages.message(room, seq)) await this.#pages.around(room, seq);
    if (room !== this.room) return;
    this.#last = seq;
    const part = this.#part();
    const at = part.run.findLastIndex((message) => message.seq <= seq);
    if (at < 0) return this.enter(room);
    const half = this.#most >> 1;
    this.#first = part.run[Math.max(0, at - half)].seq;
    this.#end(part, at + half);
  }

  /** The last that is shown stands before `to` in the run; at the end of everything, new ones are shown as they come. */
  #end({ run, newer }, to) {
    const rest = to >= run.length;
    this.#last = rest && !newer ? Infinity : run[Math.min(to, run.length) - 1].seq;
  }

  /** The run that is shown, from where to where; `first`: as if that were the first message. */
  #part(first = this.#first) {
    const { run, older, newer } = this.#pages.run(this.room, this.following ? null : this.#last);
    let from = first === null ? Math.max(0, run.length - this.#most) : run.findIndex((message) => message.seq >= first);
    if (from < 0) from = Math.max(0, run.length - this.#most);
    let to = run.length;
    if (!this.following) while (to > from && run[to - 1].seq > this.#last) to -= 1;
    return { run, from, to, older, newer };
  }
}
