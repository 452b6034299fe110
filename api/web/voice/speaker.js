// One who speaks: their frames are played, each at its time.

import { Jitter } from "./jitter.js";
import { RATE, levelOf, samplesOf } from "./sound.js";

export class Speaker {
  #context;
  #jitter = new Jitter();
  /** How loud they were at most since it was last asked. */
  #level = 0;
  /** When there was a frame of theirs, in ms. */
  heard = Date.now();

  constructor(context) {
    this.#context = context;
  }

  /** Plays a frame; what is none, or late, is dropped. */
  hear({ timestamp, data }) {
    const samples = samplesOf(data);
    if (!samples) return;
    this.heard = Date.now();
    this.#level = Math.max(this.#level, levelOf(samples));
    const time = this.#jitter.at(timestamp, this.#context.currentTime);
    if (time === null) return;
    const buffer = this.#context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(Float32Array.from(samples, (sample) => sample / 32768), 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.start(time);
  }

  /** The loudest since it was last asked. */
  takeLevel() {
    const level = this.#level;
    this.#level = 0;
    return level;
  }
}
