import assert from "node:assert/strict";
import test from "node:test";
import { Captions, ORIGINAL, textOf } from "../../../../server/page/static/captions.mjs";
import { clock, cuesOf, FORMATS, wrapped } from "../../../../server/page/static/subtitles.mjs";

const said = (kind, id, text, start, end, more = {}) => ({
  message_type: kind,
  data: { transcription: { transcription_id: id, language: "en", text, segments: [{ text, start, end }], ...more } },
});
const heard = (...of) => said("validated_transcription", ...of);
const supposed = (...of) => said("partial_transcription", ...of);
const translated = (id, text, start, end, part = 0, language = "es") =>
  said("translated_transcription", id, text, start, end, { language, translation_part_id: part });
const texts = (captions, name) => captions.tracks.get(name).lines.map(textOf);

test("what is supposed grows, and is replaced by what is certain", () => {
  const captions = new Captions(["es"]);
  assert.equal(captions.take(supposed("a", "Good", 0, 1)), ORIGINAL);
  captions.take(supposed("a", "Good mor", 0, 2));
  assert.equal(captions.tracks.get(ORIGINAL).supposed.text, "Good mor");
  assert.ok(captions.empty);
  captions.take(heard("a", "Good morning.", 0, 2));
  assert.equal(captions.tracks.get(ORIGINAL).supposed, null);
  assert.deepEqual(texts(captions, ORIGINAL), ["Good morning."]);
  assert.ok(!captions.empty);
});

test("parts of one translation are one line; each knows when it was spoken", () => {
  const captions = new Captions(["es", "fr"]);
  captions.take(translated("a", "Era el mejor", 1, 2, 0), 10);
  assert.equal(captions.take(translated("a", "de los tiempos", 2, 3, 1), 10), "es");
  captions.take(translated("b", "era el peor", 3, 4), 10);
  captions.take(translated("a", "C'était", 1, 2, 0, "fr"), 10);
  assert.deepEqual(texts(captions, "es"), ["Era el mejor de los tiempos", "era el peor"]);
  assert.deepEqual(texts(captions, "fr"), ["C'était"]);
  assert.equal(captions.spokenAt("es", "a", 1), 12);
  assert.equal(captions.spokenAt("es", "nobody", 0), undefined);
  assert.equal(captions.spokenAt("de", "a", 0), undefined);
});

test("other messages and other languages change nothing", () => {
  const captions = new Captions(["es"]);
  assert.equal(captions.take({ message_type: "output_audio_data", data: { data: "" } }), null);
  assert.equal(captions.take({ message_type: "end_of_stream", data: {} }), null);
  assert.equal(captions.take(translated("a", "Hallo", 0, 1, 0, "de")), null);
  captions.take(supposed("a", "Good", 0, 1));
  captions.forget();
  assert.equal(captions.tracks.get(ORIGINAL).supposed, null);
});

test("cues do not lie over each other, and stay long enough where there is room", () => {
  const captions = new Captions([]);
  captions.take(heard("a", "One", 0, 0.2));
  captions.take(heard("b", "Two", 3, 9));
  captions.take(heard("c", "Three", 5, 6));
  captions.take({ message_type: "validated_transcription", data: { transcription: { transcription_id: "d", language: "en", text: "No times" } } });
  const cues = cuesOf(captions.tracks.get(ORIGINAL).lines);
  assert.deepEqual(cues.map(({ start_s, stop_s }) => [start_s, stop_s]), [[0, 1], [3, 5], [5, 6]]);
});

test("SRT, WebVTT and text", () => {
  const captions = new Captions([]);
  captions.take(heard("a", "Fish & <chips>", 3661.5, 3663));
  captions.take(heard("b", "שלום", 3664, 3665.25));
  const { lines } = captions.tracks.get(ORIGINAL);
  assert.equal(
    FORMATS.srt.write(lines),
    "1\n01:01:01,500 --> 01:01:03,000\nFish & <chips>\n\n2\n01:01:04,000 --> 01:01:05,250\nשלום\n\n",
  );
  assert.equal(
    FORMATS.vtt.write(lines),
    "WEBVTT\n\n01:01:01.500 --> 01:01:03.000\nFish &amp; &lt;chips&gt;\n\n01:01:04.000 --> 01:01:05.250\nשלום\n",
  );
  assert.equal(FORMATS.txt.write(lines), "Fish & <chips>\nשלום\n");
  assert.equal(FORMATS.vtt.write([]), "WEBVTT\n");
});

test("clocks and lines", () => {
  assert.equal(clock(59.9996, "."), "00:01:00.000");
  assert.equal(clock(-1, ","), "00:00:00,000");
  assert.equal(wrapped("It was the best of times, it was the worst of times, it was the age of wisdom"),
    "It was the best of times, it was the worst\nof times, it was the age of wisdom");
  assert.equal(wrapped("x".repeat(60)), "x".repeat(60));
});
