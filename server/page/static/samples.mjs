/**
 * Samples on their way out: fewer of them, as 16-bit integers, as text. No browser is needed here.
 */

export const LEAST_HZ = 16000;
const TAPS_PER_STEP = 16;

/** The largest whole factor by which a rate can be divided and stay at LEAST_HZ or more, as a whole number. */
export function factorOf(rate) {
  for (let factor = Math.floor(rate / LEAST_HZ); factor > 1; factor -= 1) {
    if (Number.isInteger(rate / factor)) return factor;
  }
  return 1;
}

/** Every n-th sample behind a low-pass filter (a sinc under a Hann window); pieces may be cut anywhere. */
export class Decimator {
  constructor(rate) {
    this.factor = factorOf(rate);
    this.rate = rate / this.factor;
    this.taps = this.factor === 1 ? Float32Array.of(1) : lowPass(this.factor);
    this.held = new Float32Array(this.taps.length - 1);
    this.skip = 0;
  }

  push(samples) {
    const { taps, factor } = this;
    const all = new Float32Array(this.held.length + samples.length);
    all.set(this.held);
    all.set(samples, this.held.length);
    const out = [];
    let at = this.skip;
    for (; at + taps.length <= all.length; at += factor) {
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap += 1) sum += taps[tap] * all[at + tap];
      out.push(sum);
    }
    const from = all.length - (taps.length - 1);
    this.skip = at - from;
    this.held = all.slice(from);
    return Float32Array.from(out);
  }
}

function lowPass(factor) {
  const taps = new Float32Array(TAPS_PER_STEP * factor + 1);
  const middle = (taps.length - 1) / 2;
  let total = 0;
  for (let tap = 0; tap < taps.length; tap += 1) {
    const x = (0.9 * (tap - middle)) / factor;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    taps[tap] = sinc * (0.5 + 0.5 * Math.cos((Math.PI * (tap - middle)) / (middle + 1)));
    total += taps[tap];
  }
  return taps.map((weight) => weight / total);
}

/** Floats from -1 to 1 as 16-bit integers; what is outside is clipped. */
export function toInt16(samples) {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767));
}

/** Base64 of 16-bit integers, little-endian whatever the machine is. */
export function toBase64(integers) {
  const view = new DataView(new ArrayBuffer(integers.length * 2));
  integers.forEach((integer, at) => view.setInt16(at * 2, integer, true));
  let text = "";
  for (let at = 0; at < view.byteLength; at += 1) text += String.fromCharCode(view.getUint8(at));
  return btoa(text);
}

/** The other way: base64 of little-endian 16-bit integers as floats. */
export function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, at) => view.getInt16(at * 2, true) / 32768);
}
