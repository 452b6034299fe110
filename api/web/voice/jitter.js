// When a frame is played that has come: a little late, so that the next ones may be late by as much. Pure.

/** Seconds from a frame's arrival to its playing. */
export const DELAY = 0.06;
/** Seconds that a frame waits at most: with more, clocks have drifted or the speaker's clock was set. */
export const MOST = 0.3;
/** So many late frames after one another, and the delay begins anew from what comes now. */
export const LATE = 10;

/** The frames of one speaker. */
export class Jitter {
  /** From the speaker's clock to ours, in seconds. */
  #offset = null;
  #late = 0;

  /**
   * When to play a frame, in seconds of the clock of `now`; null: it is late, and dropped. `timestamp`: when it was said,
   * in milliseconds of the speaker's clock.
   */
  at(timestamp, now) {
    const said = timestamp / 1000;
    const time = said + this.#offset;
    if (this.#offset === null || time > now + MOST || this.#late >= LATE) {
      this.#offset = now + DELAY - said;
      this.#late = 0;
      return now + DELAY;
    }
    this.#late = time < now ? this.#late + 1 : 0;
    return time < now ? null : time;
  }
}
