/**
 * The form: what can be chosen on this server, and what was chosen.
 */
import { ANY, baseOf, choicesOf, codesIn, nameOf, targetsFor } from "./languages.mjs";

const KEY = "dragoman-key";
export const byId = (id) => document.getElementById(id);

export class Setup {
  constructor() {
    this.choices = choicesOf({});
    this.form = byId("setup");
    for (const radio of this.form.elements.kind) radio.addEventListener("change", () => this.#show());
    byId("source").addEventListener("change", () => this.#offerTargets());
    byId("targets").addEventListener("change", () => this.#offerVoices());
    byId("more").addEventListener("input", () => this.#offerVoices());
    byId("voice").addEventListener("change", () => this.#show());
    // Never in storage that outlives the tab, and never in an address.
    byId("key").value = sessionStorage.getItem(KEY) ?? "";
    byId("key").addEventListener("input", ({ target }) => sessionStorage.setItem(KEY, target.value));
  }

  /** Offer what the server has; `facts` say whether it asks for a key. */
  offer(ready, facts) {
    this.choices = choicesOf(ready);
    const sources = this.choices.sources.map((code) => new Option(nameOf(code), code));
    byId("source").replaceChildren(new Option(nameOf(ANY), ANY), ...sources);
    if (sources.length === 1) byId("source").value = sources[0].value;
    byId("missing").replaceChildren(...(ready.missing ?? []).map(item));
    byId("key-label").hidden = byId("key-hint").hidden = !facts.asks_for_key;
    this.#offerTargets();
  }

  get kind() {
    return this.form.elements.kind.value;
  }

  get file() {
    return byId("file").files[0];
  }

  get key() {
    return byId("key").value;
  }

  /** What was chosen, as `taskOf` takes it. */
  get wish() {
    return {
      source: byId("source").value || ANY,
      targets: this.#targets(),
      voice: byId("voice").value,
      latency: byId("latency").value,
    };
  }

  lock(locked) {
    byId("fields").disabled = locked;
    byId("choices").open = !locked;
  }

  #targets() {
    const boxes = [...byId("targets").querySelectorAll("input:checked")].map((box) => box.value);
    return [...new Set([...boxes, ...codesIn(byId("more").value)])];
  }

  #offerTargets() {
    const before = new Set(this.#targets());
    const codes = targetsFor(this.choices, byId("source").value);
    if (!codes.some((code) => before.has(code))) {
      // Whoever opens the page speaks its browser's language, most likely.
      const own = [baseOf(navigator.language), byId("source").value];
      const wanted = ["es", "en", ...codes].find((code) => codes.includes(code) && !own.includes(code));
      if (wanted) before.add(wanted);
    }
    byId("targets").replaceChildren(...codes.map((code) => checkbox(code, before.has(code))));
    this.#offerVoices();
  }

  #offerVoices() {
    const voice = byId("voice");
    const before = voice.value;
    const targets = this.#targets();
    const spoken = targets.filter((code) => this.choices.spoken.has(baseOf(code)));
    voice.replaceChildren(new Option("None: captions only", ""), ...spoken.map((code) => new Option(nameOf(code), code)));
    const silent = this.offered === true && before === "";
    voice.value = spoken.includes(before) ? before : silent ? "" : (spoken[0] ?? "");
    this.offered = spoken.length > 0;
    this.#show();
  }

  #show() {
    byId("file-label").hidden = this.kind !== "file";
    byId("headphones").hidden = !(this.kind === "microphone" && byId("voice").value);
  }
}

function checkbox(code, checked) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", value: code, checked });
  label.append(box, ` ${nameOf(code)}`);
  return label;
}

function item(text) {
  return Object.assign(document.createElement("li"), { textContent: text });
}
