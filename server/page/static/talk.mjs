/**
 * One talk with the server, over as many connections as it takes.
 *
 * A connection that drops is opened again; what is captured meanwhile waits, up to BACKLOG_S of it, and goes first. The
 * server begins each connection at zero: `base_s` of a message is where its connection began in the talk.
 */
import { toBase64 } from "./samples.mjs";
import { message } from "./task.mjs";
import { Trouble, troubleOfMessage } from "./trouble.mjs";

export const BACKLOG_S = 30;
export const WAITS_MS = [250, 500, 1000, 2000, 4000, 8000];
const LEAST_SAMPLES = 384;
const NORMAL = 1000;

export class Talk {
  #pieces = [];
  #waiting = 0;
  #taken = 0;
  #socket = null;
  #ready = false;
  #finishing = false;
  #over = false;
  #begun = false;
  #trouble = null;
  #wake = () => {};

  /**
   * `door()` gives the address to dial, or throws Trouble; `dial(url)` a WebSocket; `wait(ms)` a promise.
   * `tell(kind, value)`: "state" (connecting, listening, lost, finishing, over), "message" ({ message, base_s }),
   * "notice" (a Trouble that ends nothing) and "dropped" (seconds of sound that were too many).
   */
  constructor({ door, dial, wait, tell, task, rate }) {
    Object.assign(this, { door, dial, wait, tell, task, rate });
  }

  /** The next samples (Int16Array) of what is spoken. */
  feed(samples) {
    if (this.#over || this.#finishing) return;
    this.#taken += samples.length;
    this.#pieces.push(samples);
    this.#waiting += samples.length;
    let dropped = 0;
    while (!this.#ready && this.#waiting > BACKLOG_S * this.rate) {
      const oldest = this.#pieces.shift();
      this.#waiting -= oldest.length;
      dropped += oldest.length;
    }
    if (dropped) this.tell("dropped", dropped / this.rate);
    this.#send();
  }

  /** No more is spoken; the server says what it still has to say. */
  finish() {
    if (this.#over || this.#finishing) return;
    this.#finishing = true;
    this.tell("state", "finishing");
    if (this.#ready) this.#end();
    this.#wake();
  }

  /** Now. */
  abort() {
    this.#over = true;
    this.#socket?.close(NORMAL);
    this.#wake();
  }

  /** Until it is over. Throws Trouble where it cannot begin or go on. */
  async run() {
    for (let tries = 0; !this.#over; ) {
      const began = await this.#connection();
      if (!this.#over && this.#finishing && this.#waiting === 0) {
        this.tell("notice", new Trouble("The connection was lost before everything was said."));
        break;
      }
      if (this.#over) break;
      const trouble = this.#trouble;
      this.#trouble = null;
      if (trouble !== null && (!trouble.passes || !this.#begun)) {
        this.#over = true;
        throw trouble;
      }
      if (!this.#begun) {
        this.#over = true;
        throw new Trouble("The server cannot be reached.", "Look whether it runs, and whether a proxy passes WebSockets on.", true);
      }
      tries = began ? 0 : tries + 1;
      this.tell("state", "lost");
      const woken = new Promise((resolve) => (this.#wake = resolve));
      await Promise.race([this.wait(WAITS_MS[Math.min(tries, WAITS_MS.length - 1)]), woken]);
    }
    this.#over = true;
    this.tell("state", "over");
  }

  /** One connection, until it closes; whether the task ran on it. */
  async #connection() {
    if (!this.#begun) this.tell("state", "connecting");
    let url;
    try {
      url = await this.door();
    } catch (error) {
      this.#trouble = error instanceof Trouble ? error : null;
      return false;
    }
    if (this.#over) return false;
    return new Promise((resolve) => {
      let base_s = 0;
      let began = false;
      let last = null;
      const socket = this.dial(url);
      this.#socket = socket;
      socket.onopen = () => socket.send(message("set_task", this.task));
      socket.onmessage = ({ data }) => {
        const received = JSON.parse(data);
        const { message_type: kind, data: body } = received;
        if (kind === "task_status" && !began) {
          began = this.#ready = this.#begun = true;
          base_s = (this.#taken - this.#waiting) / this.rate;
          this.tell("state", this.#finishing ? "finishing" : "listening");
          this.#send();
          if (this.#finishing) this.#end();
        } else if (kind === "error") {
          const trouble = troubleOfMessage(body);
          // A task that is refused ends nothing by itself on this wire.
          last = trouble;
          if (began) this.tell("notice", trouble);
          else socket.close(NORMAL);
        } else if (kind === "end_of_stream") {
          this.#over = true;
        } else this.tell("message", { message: received, base_s });
      };
      socket.onclose = ({ code }) => {
        this.#ready = false;
        this.#socket = null;
        // An error that closes says why; others were told, and the task went on.
        if (last !== null && (!began || code !== NORMAL)) this.#trouble = last;
        resolve(began);
      };
    });
  }

  #send() {
    if (!this.#ready) return;
    for (const piece of this.#pieces.splice(0)) this.#audio(piece);
    this.#waiting = 0;
  }

  #end() {
    this.#send();
    this.#socket.send(message("end_task"));
  }

  /** The wire takes no piece under 768 bytes: a short one gets silence behind it. */
  #audio(samples) {
    const piece = samples.length < LEAST_SAMPLES ? new Int16Array(LEAST_SAMPLES) : samples;
    if (piece !== samples) piece.set(samples);
    this.#socket.send(message("input_audio_data", { data: toBase64(piece) }));
  }
}

/** The address of the socket: that of the page, wherever a proxy has put it. Its token opens it without the key. */
export function socketUrl(page, token) {
  const url = new URL("streaming-api/v1/speech-to-speech/stream", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = url.hash = "";
  url.searchParams.set("token", token);
  return url.href;
}
