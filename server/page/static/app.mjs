/**
 * The page: joins the form, the source of sound, the talk with the server, the captions and the voice.
 */
import { Captions, ORIGINAL } from "./captions.mjs";
import { nameOf } from "./languages.mjs";
import { Player } from "./player.mjs";
import { fromBase64 } from "./samples.mjs";
import { byId, Setup } from "./setup.mjs";
import { snippets } from "./snippets.mjs";
import { Capture, openSource } from "./sources.mjs";
import { FORMATS } from "./subtitles.mjs";
import { socketUrl, Talk } from "./talk.mjs";
import { taskOf } from "./task.mjs";
import { Trouble, troubleOfDoor } from "./trouble.mjs";
import { CaptionView } from "./view.mjs";

const STATES = {
  connecting: "Connecting…",
  listening: "Listening",
  lost: "The connection was lost. Trying again; what you say is kept.",
  finishing: "Saying the rest…",
  over: "Ready",
};
const READY_MS = 2000;

const setup = new Setup();
const view = new CaptionView(byId("captions"));
const here = new URL(".", document.baseURI);
let running = null;
let captions = new Captions([]);
let lost = false;

const now_s = () => performance.now() / 1000;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function say(text) {
  if (byId("status").textContent !== text) byId("status").textContent = text;
}

function show(trouble) {
  byId("trouble").hidden = trouble === null;
  byId("trouble-title").textContent = trouble?.title ?? "";
  byId("trouble-advice").textContent = trouble?.advice ?? "";
}

/** What Palabra's clients do too: the key buys a token, and only the token stands in an address. Throws Trouble. */
async function openDoor() {
  const answer = await fetch(new URL("session-storage/session", here), {
    method: "POST",
    headers: { "Content-Type": "application/json", ClientId: "page", ...(setup.key ? { ClientSecret: setup.key } : {}) },
    body: "{}",
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw troubleOfDoor(answer.status, body.errors?.[0]?.detail ?? body.detail);
  return socketUrl(here, body.data.publisher);
}

/** Everything of one talk that has to be put away behind it. */
class Running {
  #begun_s = null;

  constructor(source, wish) {
    this.capture = new Capture(source);
    this.wish = wish;
    this.player = wish.targets.includes(wish.voice) ? new Player() : null;
  }

  async run() {
    const held = [];
    await this.capture.start((samples) => {
      this.#begun_s ??= now_s() - samples.length / this.capture.rate;
      if (this.talk) this.talk.feed(samples);
      else held.push(samples);
    });
    if (this.aborted) return;
    const rate = this.capture.rate;
    this.talk = new Talk({
      door: openDoor,
      dial: (url) => new WebSocket(url),
      wait,
      tell: (kind, value) => this.#told(kind, value),
      task: taskOf(this.wish, rate),
      rate,
    });
    held.splice(0).forEach((samples) => this.talk.feed(samples));
    this.capture.ended.then(() => this.finish());
    await this.talk.run();
    while (this.player?.left_s > 0 && !this.aborted) await wait(50);
  }

  /** The first time: say the rest. The second time: nothing more. */
  stop() {
    if (!this.talk || this.finishing) this.abort();
    else this.finish();
  }

  finish() {
    this.finishing = true;
    byId("stop").textContent = "Stop now";
    this.capture.stop();
    this.talk?.finish();
  }

  abort() {
    this.aborted = true;
    this.talk?.abort();
  }

  async close() {
    await Promise.all([this.capture.stop(), this.player?.close()]);
  }

  #told(kind, value) {
    if (kind === "state") {
      if (value === "listening") show(null);
      if (value === "listening" && lost) say("Listening. The connection is back.");
      else say(STATES[value]);
      lost = value === "lost";
      if (lost) captions.forget();
      if (lost) view.draw(ORIGINAL, captions.tracks.get(ORIGINAL));
      document.body.dataset.state = value;
    } else if (kind === "notice") show(value);
    else if (kind === "dropped") {
      show(new Trouble("The connection has been away for long.", "What you say meanwhile is not all kept any more."));
    } else this.#message(value);
  }

  #message({ message, base_s }) {
    if (message.message_type === "output_audio_data") this.#voice(message.data);
    const changed = captions.take(message, base_s);
    if (changed === null) return;
    view.draw(changed, captions.tracks.get(changed));
    byId("save").disabled = captions.empty;
  }

  #voice({ data, language, transcription_id: id, translation_part_id: number }) {
    if (this.player === null || language !== this.wish.voice || !data) return;
    const in_s = this.player.play(fromBase64(data));
    const piece = `${id} ${number}`;
    if (piece === this.piece) return;
    // From when it was spoken to when its translation begins to sound.
    this.piece = piece;
    const spoken_s = captions.spokenAt(language, id, Number(number));
    if (spoken_s === undefined) return;
    const lag_s = now_s() + in_s - (this.#begun_s + spoken_s);
    byId("lag").value = `${Math.max(0, lag_s).toFixed(1)} s`;
  }
}

async function start() {
  const wish = setup.wish;
  show(null);
  if (wish.targets.length === 0) return show(new Trouble("Nothing to translate into.", "Choose a language."));
  byId("start").disabled = true;
  say("Waiting for the sound…");
  try {
    const source = await openSource(setup.kind, setup.file);
    running = new Running(source, wish);
    open(wish);
    await running.run();
    say(STATES.over);
  } catch (error) {
    say("Stopped");
    show(error instanceof Trouble ? error : new Trouble("The page has a fault.", String(error)));
  } finally {
    await running?.close();
    running = null;
    lost = false;
    document.body.dataset.state = "over";
    byId("stop").hidden = byId("levels").hidden = true;
    byId("start").hidden = byId("start").disabled = false;
    setup.lock(false);
  }
}

function open(wish) {
  captions = new Captions(wish.targets);
  const names = [ORIGINAL, ...wish.targets];
  view.open(names, wish.voice ? "" : wish.targets[0]); // a voice and a screen reader would talk over each other
  byId("track").replaceChildren(...names.map((name) => new Option(name === ORIGINAL ? "Original" : nameOf(name), name)));
  byId("track").value = wish.targets[0];
  byId("transcript").hidden = false;
  byId("save").disabled = true;
  byId("lag").value = "–";
  byId("levels").hidden = false;
  byId("voice-controls").hidden = running.player === null;
  mute(false);
  byId("start").hidden = true;
  byId("stop").hidden = false;
  byId("stop").textContent = "Stop";
  byId("stop").focus();
  setup.lock(true);
  requestAnimationFrame(drawLevels);
}

function drawLevels() {
  if (running === null) return;
  byId("level-in").value = running.capture.peak();
  if (running.player) byId("level-out").value = running.player.peak();
  requestAnimationFrame(drawLevels);
}

function mute(muted) {
  byId("mute").setAttribute("aria-pressed", String(muted));
  running?.player?.mute(muted);
}

function save() {
  const [track, format] = [byId("track").value, byId("format").value];
  const { type, write } = FORMATS[format];
  const url = URL.createObjectURL(new Blob([write(captions.tracks.get(track).lines)], { type }));
  Object.assign(document.createElement("a"), { href: url, download: `dragoman-${track}.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function showCode() {
  const programs = snippets(here.href, setup.wish);
  const chosen = byId("sdk").selectedIndex;
  byId("sdk").replaceChildren(...programs.map(({ name }, at) => new Option(name, at)));
  byId("sdk").selectedIndex = Math.max(0, chosen);
  byId("program").textContent = programs[byId("sdk").selectedIndex].code;
  byId("copied").textContent = "";
  if (!byId("code").open) byId("code").showModal();
}

async function copy() {
  try {
    await navigator.clipboard.writeText(byId("program").textContent);
    byId("copied").textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("program"));
    byId("copied").textContent = "Selected: copy it with the keyboard";
  }
}

/** Until the server says what it has. */
async function load() {
  const facts = await (await fetch(new URL("page/server.json", here))).json();
  for (;;) {
    const answer = await fetch(new URL("ready", here)).catch(() => null);
    const ready = answer ? await answer.json().catch(() => ({})) : {};
    if (ready.recognise) {
      setup.offer(ready, facts);
      break;
    }
    say(ready.reason ? `The server is not ready: ${ready.reason}` : "The server does not answer");
    await wait(READY_MS);
  }
  byId("start").disabled = false;
  say(STATES.over);
}

byId("setup").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running === null) start();
});
byId("stop").addEventListener("click", () => running?.stop());
byId("mute").addEventListener("click", () => mute(byId("mute").getAttribute("aria-pressed") !== "true"));
byId("save").addEventListener("click", save);
byId("show-code").addEventListener("click", showCode);
byId("sdk").addEventListener("change", showCode);
byId("copy").addEventListener("click", copy);
load().catch((error) => show(new Trouble("The page cannot be loaded.", String(error))));
