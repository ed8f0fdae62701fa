/**
 * Where sound comes from: a microphone, a tab, a file. All of them are played into the same worklet, in real time.
 */
import { LEAST_HZ, factorOf } from "./samples.mjs";
import { insecure, Trouble, troubleOfSource } from "./trouble.mjs";

/** Echo is taken out: otherwise the microphone hears the translated voice, and it is translated again. */
const MICROPHONE = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
const TAB = { video: true, audio: { suppressLocalAudioPlayback: false } };

/** What is asked of the user first, in the same moment as the click. Throws Trouble. */
export async function openSource(kind, file) {
  try {
    if (kind === "file") {
      if (!file) throw new Trouble("No file was chosen.", "Choose one, then start again.");
      return { file: await file.arrayBuffer() };
    }
    if (!navigator.mediaDevices) throw insecure(location.host);
    if (kind === "microphone") return { stream: await navigator.mediaDevices.getUserMedia(MICROPHONE) };
    if (!navigator.mediaDevices.getDisplayMedia) {
      throw new Trouble("This browser cannot share a tab's sound.", "Use the microphone or a file.");
    }
    const stream = await navigator.mediaDevices.getDisplayMedia(TAB);
    stream.getVideoTracks().forEach((track) => track.stop());
    if (stream.getAudioTracks().length === 0) {
      throw new Trouble("What was shared has no sound.", "Share a tab, and choose to share its sound too.");
    }
    return { stream: new MediaStream(stream.getAudioTracks()) };
  } catch (error) {
    throw troubleOfSource(error, kind);
  }
}

/** What `openSource` gave, as pieces of samples. Several captures may follow one another, never two at once. */
export class Capture {
  constructor(source) {
    this.source = source;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  /** Begin; `take` gets Int16Arrays at `rate`. */
  async start(take) {
    this.context = new AudioContext();
    if (this.context.sampleRate < LEAST_HZ) {
      await this.context.close();
      this.context = new AudioContext({ sampleRate: LEAST_HZ });
    }
    this.rate = this.context.sampleRate / factorOf(this.context.sampleRate);
    await this.context.audioWorklet.addModule(new URL("capture-worklet.mjs", import.meta.url));
    const worklet = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    worklet.port.onmessage = ({ data }) => take(data);
    this.meter = this.context.createAnalyser();
    this.seen = new Float32Array(this.meter.fftSize);
    this.node = await this.#node();
    this.node.connect(this.meter);
    this.node.connect(worklet);
    if (this.source.file) {
      this.node.connect(this.context.destination);
      this.node.start();
    }
    await this.context.resume();
  }

  async #node() {
    const { stream, file } = this.source;
    if (stream) {
      // A tab that is closed, a headset that is pulled out.
      stream.getAudioTracks()[0].addEventListener("ended", () => this.end());
      return this.context.createMediaStreamSource(stream);
    }
    try {
      const buffer = await this.context.decodeAudioData(file.slice(0));
      const node = new AudioBufferSourceNode(this.context, { buffer });
      node.addEventListener("ended", () => this.end());
      return node;
    } catch (error) {
      throw troubleOfSource(error, "file");
    }
  }

  peak() {
    if (!this.meter) return 0;
    this.meter.getFloatTimeDomainData(this.seen);
    return this.seen.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  async stop() {
    this.source.stream?.getTracks().forEach((track) => track.stop());
    if (this.context && this.context.state !== "closed") await this.context.close();
  }
}
