/** In the audio thread: what a source plays becomes pieces of 80 ms in one channel, as 16-bit integers. */
import { Decimator, toInt16 } from "./samples.mjs";

const PIECE_S = 0.08;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.decimator = new Decimator(sampleRate);
    this.piece = new Int16Array(Math.round(this.decimator.rate * PIECE_S));
    this.filled = 0;
  }

  process([channels]) {
    if (channels.length === 0) return true; // nothing is connected: that is no silence
    const mixed = new Float32Array(channels[0].length);
    for (const channel of channels) {
      for (let at = 0; at < mixed.length; at += 1) mixed[at] += channel[at] / channels.length;
    }
    for (const sample of toInt16(this.decimator.push(mixed))) {
      this.piece[this.filled] = sample;
      this.filled += 1;
      if (this.filled === this.piece.length) {
        this.port.postMessage(this.piece.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
