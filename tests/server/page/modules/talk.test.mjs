import assert from "node:assert/strict";
import test from "node:test";
import { BACKLOG_S, socketUrl, Talk, WAITS_MS } from "../../../../server/page/static/talk.mjs";
import { taskOf } from "../../../../server/page/static/task.mjs";
import { Trouble } from "../../../../server/page/static/trouble.mjs";

const RATE = 16000;
const piece = (count = 1280) => new Int16Array(count);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Until so many sockets were dialled. */
async function dialled(sockets, count) {
  while (sockets.length < count) await turn();
}

/** A socket that the test holds in its hands. */
class FakeSocket {
  sent = [];
  constructor(url) {
    this.url = url;
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code = 1005) {
    this.onclose({ code });
  }
  get kinds() {
    return this.sent.map((one) => one.message_type);
  }
  get samples() {
    return this.sent.filter((one) => one.message_type === "input_audio_data")
      .reduce((sum, one) => sum + Buffer.from(one.data.data, "base64").length / 2, 0);
  }
  told(kind, data = {}) {
    this.onmessage({ data: JSON.stringify({ message_type: kind, data }) });
  }
  start() {
    this.onopen();
    this.told("task_status", { event: "started" });
  }
}

/** A talk, its sockets, what it told and for how long it waited. */
function begin(door = async () => "ws://here") {
  const sockets = [];
  const told = [];
  const waits = [];
  const talk = new Talk({
    door,
    dial: (url) => sockets[sockets.push(new FakeSocket(url)) - 1],
    wait: (ms) => {
      waits.push(ms);
      return turn(); // never at once: a door that stays shut would keep the loop to itself
    },
    tell: (kind, value) => told.push([kind, value]),
    task: taskOf({ source: "en", targets: ["es"], voice: "es", latency: "" }, RATE),
    rate: RATE,
  });
  const over = talk.run().then(() => null, (error) => error);
  const states = () => told.filter(([kind]) => kind === "state").map(([, value]) => value);
  return { talk, sockets, told, waits, over, states };
}

test("what is captured before the task runs goes first; the end is waited for", async () => {
  const { talk, sockets, over, states } = begin();
  talk.feed(piece());
  await turn();
  const [socket] = sockets;
  socket.onopen();
  assert.deepEqual(socket.kinds, ["set_task"]);
  socket.told("task_status", { event: "started" });
  assert.equal(socket.samples, 1280);
  talk.feed(piece());
  talk.finish();
  talk.feed(piece());
  assert.deepEqual(socket.kinds, ["set_task", "input_audio_data", "input_audio_data", "end_task"]);
  socket.told("end_of_stream");
  socket.close(1000);
  assert.equal(await over, null);
  assert.deepEqual(states(), ["connecting", "listening", "finishing", "over"]);
});

test("a connection that drops is opened again, and what was said meanwhile is sent where it belongs", async () => {
  const { talk, sockets, told, waits, over, states } = begin();
  await turn();
  sockets[0].start();
  for (let at = 0; at < 25; at += 1) talk.feed(piece());
  sockets[0].told("validated_transcription", { transcription: {} });
  sockets[0].close(1006);
  for (let at = 0; at < 5; at += 1) talk.feed(piece());
  await dialled(sockets, 2);
  sockets[1].start();
  assert.equal(sockets[1].samples, 5 * 1280);
  sockets[1].told("validated_transcription", { transcription: {} });
  assert.deepEqual(told.filter(([kind]) => kind === "message").map(([, { base_s }]) => base_s), [0, (25 * 1280) / RATE]);
  assert.deepEqual(waits, [WAITS_MS[0]]);
  talk.finish();
  sockets[1].told("end_of_stream");
  sockets[1].close(1000);
  assert.equal(await over, null);
  assert.deepEqual(states(), ["connecting", "listening", "lost", "listening", "finishing", "over"]);
});

test("it waits longer from try to try, and begins anew behind a connection that worked", async () => {
  let open = true;
  const { talk, sockets, waits, over } = begin(async () => {
    if (!open) throw new TypeError("network");
    return "ws://here";
  });
  await turn();
  sockets[0].start();
  open = false;
  sockets[0].close(1006);
  for (let at = 0; at < 40; at += 1) if (waits.length < 8) await turn();
  assert.deepEqual(waits.slice(0, 7), [...WAITS_MS, WAITS_MS.at(-1)]);
  talk.abort();
  assert.equal(await over, null);
});

test("sound that waits is bounded, and what is dropped is told", async () => {
  const { talk, sockets, told, over } = begin();
  await turn();
  for (let at = 0; at < BACKLOG_S + 5; at += 1) talk.feed(piece(RATE));
  assert.equal(told.filter(([kind]) => kind === "dropped").reduce((sum, [, s]) => sum + s, 0), 5);
  sockets[0].start();
  assert.equal(sockets[0].samples, BACKLOG_S * RATE);
  sockets[0].told("validated_transcription", { transcription: {} });
  assert.equal(told.at(-1)[1].base_s, 5);
  talk.abort();
  assert.equal(await over, null);
});

test("a task that is refused ends the talk with the server's words", async () => {
  const { sockets, over } = begin();
  await turn();
  sockets[0].onopen();
  sockets[0].told("error", { code: "VALIDATION_ERROR", desc: "pipeline.translations[0].target_language: no translator for en→ja is installed. It takes X" });
  const trouble = await over;
  assert.ok(trouble instanceof Trouble);
  assert.match(trouble.title, /not installed/);
  assert.match(trouble.advice, /^No translator for en→ja is installed\. It takes X\.$/);
});

test("a full server is told at the beginning, and waited for later", async () => {
  const full = { code: "SERVICE_UNAVAILABLE", desc: "concurrency limit of 1 sessions reached; try again in 5 s" };
  const first = begin();
  await turn();
  first.sockets[0].onopen();
  first.sockets[0].told("error", full);
  assert.match((await first.over).title, /full/);
  const later = begin();
  await turn();
  later.sockets[0].start();
  later.sockets[0].close(1012);
  await dialled(later.sockets, 2);
  later.sockets[1].onopen();
  later.sockets[1].told("error", full);
  await dialled(later.sockets, 3);
  later.talk.abort();
  assert.equal(await later.over, null);
});

test("an error that ends a task for good is not tried again", async () => {
  const { sockets, told, over } = begin();
  await turn();
  sockets[0].start();
  sockets[0].told("error", { code: "VALIDATION_ERROR", desc: "bad audio: nonsense" });
  assert.equal(told.at(-1)[0], "notice");
  sockets[0].close(1008);
  assert.match((await over).advice, /Bad audio/);
  assert.equal(sockets.length, 1);
});

test("who cannot come in, and a server that is not there", async () => {
  const refused = begin(async () => {
    throw new Trouble("The server wants a key.");
  });
  assert.match((await refused.over).title, /key/);
  const away = begin(async () => {
    throw new TypeError("network");
  });
  assert.match((await away.over).title, /cannot be reached/);
});

test("a drop behind the last word is told, and nothing is tried again", async () => {
  const { talk, sockets, told, over } = begin();
  await turn();
  sockets[0].start();
  talk.finish();
  sockets[0].close(1006);
  assert.equal(await over, null);
  assert.equal(sockets.length, 1);
  assert.ok(told.some(([kind, trouble]) => kind === "notice" && /lost before/.test(trouble.title)));
});

test("short pieces get silence behind them, as the wire wants 768 bytes", async () => {
  const { talk, sockets, over } = begin();
  await turn();
  sockets[0].start();
  talk.feed(piece(10));
  assert.equal(sockets[0].samples, 384);
  talk.abort();
  await over;
});

test("the socket is where the page is, and its token is escaped", () => {
  assert.equal(socketUrl("http://127.0.0.1:8000/", "a+b"), "ws://127.0.0.1:8000/streaming-api/v1/speech-to-speech/stream?token=a%2Bb");
  assert.equal(socketUrl("https://example.org/live/?x#y", "t"), "wss://example.org/live/streaming-api/v1/speech-to-speech/stream?token=t");
});
