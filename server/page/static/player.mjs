/**
 * The translated voice: pieces in the order in which they come, each where the one before it ends.
 */
import { OUTPUT_HZ } from "./task.mjs";

const LEAD_S = 0.05;

/** Where pieces are placed on the clock of what is played; pure. */
export class Timeline {
  #end_s = 0;

  /** The start of a piece of `samples` at `rate`, on a whole sample, so that neighbours touch. */
  place(now_s, samples, rate) {
    if (this.#end_s < now_s) this.#end_s = Math.ceil((now_s + LEAD_S) * rate) / rate;
    const start_s = this.#end_s;
    this.#end_s = Math.round(start_s * rate + samples) / rate;
    return start_s;
  }

  /** Seconds that are still to be played. */
  left(now_s) {
    return Math.max(0, this.#end_s - now_s);
  }
}

export class Player {
  constructor() {
    // At the rate of what comes: nothing is resampled piece by piece, which would click where they touch.
    this.context = new AudioContext({ sampleRate: OUTPUT_HZ, latencyHint: "interactive" });
    this.context.resume(); // some browsers begin asleep, even behind a click
    this.volume = this.context.createGain();
    this.meter = this.context.createAnalyser();
    this.meter.fftSize = 2048;
    this.volume.connect(this.meter).connect(this.context.destination);
    this.timeline = new Timeline();
    this.seen = new Float32Array(this.meter.fftSize);
  }

  /** Play a piece behind all others; in how many seconds it will be heard. */
  play(samples) {
    const now_s = this.context.currentTime;
    const buffer = this.context.createBuffer(1, samples.length, OUTPUT_HZ);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.volume);
    const start_s = this.timeline.place(now_s, samples.length, OUTPUT_HZ);
    source.start(start_s);
    return start_s - now_s + (this.context.outputLatency || 0);
  }

  mute(muted) {
    this.volume.gain.value = muted ? 0 : 1;
  }

  get left_s() {
    return this.timeline.left(this.context.currentTime);
  }

  /** The loudest sample of the last moment, 0 to 1. */
  peak() {
    this.meter.getFloatTimeDomainData(this.seen);
    return this.seen.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  async close() {
    await this.context.close();
  }
}
