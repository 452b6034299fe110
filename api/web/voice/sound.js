// What the page says to others: 16-bit PCM (little-endian), mono, 16 kHz, 20 ms in each message: 640 bytes. Pure.

/** Samples a second, samples of one frame, and seconds of it. */
export const RATE = 16000;
export const SAMPLES = 320;
export const SECONDS = SAMPLES / RATE;
/** The longest frame that is played, in bytes: a second. */
const LONGEST = 2 * RATE;
/** Below so many decibels nothing is shown. */
const FLOOR = -60;

/** Brings samples to another rate: each new one is the mean of the old ones in its time, which keeps aliases low. */
export class Resampler {
  #step;
  #need;
  #sum = 0;

  constructor(from, to) {
    this.#step = from / to;
    this.#need = this.#step;
  }

  /** Takes samples, and calls `out` with each new one. */
  push(samples, out) {
    for (const sample of samples) {
      let left = 1;
      while (this.#need <= left) {
        left -= this.#need;
        out((this.#sum + sample * this.#need) / this.#step);
        this.#sum = 0;
        this.#need = this.#step;
      }
      this.#sum += sample * left;
      this.#need -= left;
    }
  }
}

/** A sample from -1 to 1 as 16 bits. */
export const to16 = (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767);

/** The samples of a frame's bytes; null for what is no frame. */
export function samplesOf(data) {
  if (data.length === 0 || data.length % 2 || data.length > LONGEST) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Int16Array.from({ length: data.length / 2 }, (_, place) => view.getInt16(2 * place, true));
}

/** The bytes of samples. */
export function bytesOf(samples) {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((sample, place) => view.setInt16(2 * place, sample, true));
  return new Uint8Array(view.buffer);
}

/** How loud samples are, from 0 (silent) to 1: as decibels, which is how people hear. */
export function levelOf(samples) {
  const square = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(square / 32768 ** 2);
  return Math.max(0, Math.min(1, 1 - decibels / FLOOR));
}
