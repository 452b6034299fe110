// Runs where sound is processed (AudioWorklet): makes frames of what the microphone hears.

import { RATE, Resampler, SAMPLES, to16 } from "./sound.js";

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #frame = new Int16Array(SAMPLES);
  #count = 0;

  process([[samples]]) {
    if (samples) this.#resampler.push(samples, (sample) => this.#add(sample));
    return true;
  }

  #add(sample) {
    this.#frame[this.#count] = to16(sample);
    this.#count += 1;
    if (this.#count < SAMPLES) return;
    this.port.postMessage(this.#frame, [this.#frame.buffer]);
    this.#frame = new Int16Array(SAMPLES);
    this.#count = 0;
  }
}

registerProcessor("capture", Capture);
