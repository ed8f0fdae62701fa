import assert from "node:assert/strict";
import test from "node:test";
import { Decimator, factorOf, fromBase64, toBase64, toInt16 } from "../../../../server/page/static/samples.mjs";

const tone = (hz, rate, count) => Float32Array.from({ length: count }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hz * at) / rate));
const peak = (samples) => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

test("rates come down to 16 kHz or a little more, as whole numbers", () => {
  const rates = { 16000: 16000, 22050: 22050, 32000: 16000, 44100: 22050, 48000: 16000, 96000: 16000, 176400: 17640, 192000: 16000 };
  for (const [rate, wanted] of Object.entries(rates)) assert.equal(Number(rate) / factorOf(Number(rate)), wanted);
});

test("a decimated tone is as loud, one above the new range is gone", () => {
  for (const rate of [44100, 48000, 96000]) {
    const low = new Decimator(rate).push(tone(1000, rate, rate));
    const high = new Decimator(rate).push(tone(0.75 * (rate / factorOf(rate)), rate, rate));
    assert.ok(Math.abs(peak(low) - 0.5) < 0.01, `${rate}: ${peak(low)}`);
    assert.ok(peak(high.slice(40)) < 0.01, `${rate}: ${peak(high.slice(40))}`);
    assert.ok(Math.abs(low.length - rate / factorOf(rate)) < 20);
  }
});

test("pieces may be cut anywhere", () => {
  const samples = tone(700, 48000, 4800);
  const whole = new Decimator(48000).push(samples);
  for (const cut of [1, 2, 7, 128, 1000]) {
    const one = new Decimator(48000);
    const parts = [];
    for (let at = 0; at < samples.length; at += cut) parts.push(...one.push(samples.slice(at, at + cut)));
    assert.deepEqual(parts, [...whole]);
  }
});

test("what needs no decimation passes as it is", () => {
  const samples = tone(700, 16000, 100);
  assert.deepEqual([...new Decimator(16000).push(samples)], [...samples]);
});

test("integers are clipped, and come back from base64", () => {
  assert.deepEqual([...toInt16([0, 1, -1, 2, -2, 0.5])], [0, 32767, -32767, 32767, -32767, 16384]);
  assert.equal(toBase64(Int16Array.of(1, -2)), Buffer.from([1, 0, 254, 255]).toString("base64"));
  const back = fromBase64(toBase64(Int16Array.of(0, 16384, -32768)));
  assert.deepEqual([...back], [0, 0.5, -1]);
});
