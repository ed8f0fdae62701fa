import assert from "node:assert/strict";
import test from "node:test";
import { ANY, choicesOf, codesIn, directionOf, nameOf, targetsFor } from "../../../../server/page/static/languages.mjs";
import { Timeline } from "../../../../server/page/static/player.mjs";
import { snippets } from "../../../../server/page/static/snippets.mjs";
import { taskOf } from "../../../../server/page/static/task.mjs";
import { insecure, troubleOfDoor, troubleOfMessage, troubleOfSource } from "../../../../server/page/static/trouble.mjs";

const READY = {
  recognise: { en: "moonshine", de: "whisper" },
  translate: { "en→es": "apertium", "en→pt": "apertium via es", "de→en": "argos" },
  speak: { es: "espeak" },
};

test("languages are those of /ready", () => {
  const choices = choicesOf(READY);
  assert.deepEqual(choices.sources, ["de", "en"]);
  assert.deepEqual(targetsFor(choices, "en"), ["es", "pt"]);
  assert.deepEqual(targetsFor(choices, ANY), ["en", "es", "pt"]);
  assert.deepEqual(targetsFor(choices, "xx"), []);
  assert.ok(choices.spoken.has("es"));
  assert.deepEqual(targetsFor(choicesOf({}), ANY), []);
});

test("codes that are typed", () => {
  assert.deepEqual(codesIn(" ja, PT-br;ja  nonsense123 x"), ["ja", "pt-br"]);
  assert.deepEqual(codesIn(""), []);
});

test("names and directions", () => {
  assert.equal(nameOf("es"), "Spanish");
  assert.equal(nameOf("pt_BR"), "Brazilian Portuguese");
  assert.equal(nameOf("?"), "?");
  assert.deepEqual(["ar", "he", "fa-IR", "ur"].map(directionOf), ["rtl", "rtl", "rtl", "rtl"]);
  assert.equal(directionOf("es"), "ltr");
});

test("only the target that is heard is spoken", () => {
  const wish = { source: "en", targets: ["es", "pt"], voice: "pt", latency: "low" };
  const task = taskOf(wish, 16000);
  assert.deepEqual(task.pipeline.translations.map((one) => one.speech_generation), [null, {}]);
  assert.equal(task.pipeline.transcription.latency, "low");
  assert.equal(task.input_stream.source.sample_rate, 16000);
  const silent = taskOf({ ...wish, voice: "", latency: "" }, 16000);
  assert.equal(silent.output_stream, null);
  assert.ok(!("latency" in silent.pipeline.transcription));
});

test("pieces of sound touch, whatever comes late", () => {
  const timeline = new Timeline();
  const starts = [0, 0, 0.1].map((now_s) => timeline.place(now_s, 4801, 24000));
  for (const [at, start_s] of starts.entries()) {
    assert.ok(Math.abs(start_s * 24000 - Math.round(start_s * 24000)) < 1e-6);
    if (at) assert.equal(Math.round((start_s - starts[at - 1]) * 24000), 4801);
  }
  assert.ok(timeline.left(0) > 0.6);
  assert.ok(timeline.place(100, 10, 24000) > 100);
  assert.equal(timeline.left(200), 0);
});

test("sources that cannot be opened, in words", () => {
  const of = (name, kind = "microphone") => troubleOfSource({ name, message: "m" }, kind);
  assert.match(of("NotAllowedError").title, /does not let this page use the microphone/);
  assert.match(of("NotAllowedError", "tab").title, /No tab/);
  assert.match(of("NotFoundError").title, /No microphone was found/);
  assert.match(of("NotReadableError").title, /cannot be opened/);
  assert.match(of("EncodingError", "file").title, /cannot read this file/);
  assert.match(of("Strange").advice, /m/);
  assert.match(insecure("translate.lan:8000").advice, /HTTPS.*translate\.lan:8000/);
});

test("doors and messages, in words", () => {
  assert.match(troubleOfDoor(401, "API key is not valid").advice, /^API key is not valid\. Enter a key/);
  assert.match(troubleOfDoor(403, "origin http://x is not allowed").advice, /allowed_origins/);
  assert.ok(troubleOfDoor(503, "later").passes);
  assert.ok(!troubleOfDoor(404).passes);
  assert.match(troubleOfMessage({ code: "VALIDATION_ERROR", desc: "no recogniser for 'ja' is installed. Run: x" }).title, /not installed/);
  assert.match(troubleOfMessage({ code: "VALIDATION_ERROR", desc: "pipeline.translations[0].target_language: is not a supported language" }).title, /does not know/);
  assert.ok(troubleOfMessage({ code: "SERVICE_UNAVAILABLE", desc: "server is not ready: x" }).passes);
  assert.match(troubleOfMessage({ code: "OTHER" }).title, /fault/);
});

test("a program for each SDK, with the session's languages and without a key", () => {
  const wish = { source: ANY, targets: ["es", "pt-br"], voice: "pt-br", latency: "quality" };
  const programs = snippets("https://example.org/live/", wish);
  assert.deepEqual(programs.map(({ name }) => name), ["Gradium", "Soniox", "Sarvam", "Palabra"]);
  for (const { name, code } of programs) {
    assert.ok(code.includes("example.org/live"), name);
    assert.ok(!code.includes("live//"), name);
    if (name !== "Sarvam") assert.ok(code.includes('"pt-br"'), name);
  }
});
