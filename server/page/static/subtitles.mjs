/**
 * A track as a text to keep: TXT, SubRip or WebVTT.
 */
import { textOf } from "./captions.mjs";

const LEAST_S = 1;
const LETTERS = 42;

export const FORMATS = {
  txt: { type: "text/plain", write: (lines) => lines.map((line) => `${textOf(line)}\n`).join("") },
  srt: { type: "application/x-subrip", write: writeSrt },
  vtt: { type: "text/vtt", write: writeVtt },
};

/** Cues of a track: one for each part, none over the next one, none too short to read where there is room. */
export function cuesOf(lines) {
  const parts = lines.flatMap((line) => line.parts).filter((part) => part.start_s !== undefined);
  parts.sort((one, two) => one.start_s - two.start_s);
  return parts.map((part, at) => {
    const limit = parts[at + 1]?.start_s ?? Infinity;
    const stop_s = Math.min(Math.max(part.stop_s, part.start_s + LEAST_S), Math.max(limit, part.start_s + 0.001));
    return { start_s: part.start_s, stop_s, text: wrapped(part.text) };
  });
}

/** Lines of a length that is read at a glance; scripts without blanks are not broken. */
export function wrapped(text) {
  const lines = [""];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last && last.length + 1 + word.length > LETTERS) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.join("\n");
}

/** `00:01:02,345`, with SubRip's comma or WebVTT's point. */
export function clock(seconds, point) {
  const total = Math.max(0, Math.round(seconds * 1000));
  const two = (number) => String(number).padStart(2, "0");
  const [h, m, s] = [Math.floor(total / 3600000), Math.floor(total / 60000) % 60, Math.floor(total / 1000) % 60];
  return `${two(h)}:${two(m)}:${two(s)}${point}${String(total % 1000).padStart(3, "0")}`;
}

function writeSrt(lines) {
  return cuesOf(lines)
    .map((cue, at) => `${at + 1}\n${clock(cue.start_s, ",")} --> ${clock(cue.stop_s, ",")}\n${cue.text}\n\n`)
    .join("");
}

function writeVtt(lines) {
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const cues = cuesOf(lines).map(
    (cue) => `\n${clock(cue.start_s, ".")} --> ${clock(cue.stop_s, ".")}\n${escaped(cue.text)}\n`,
  );
  return `WEBVTT\n${cues.join("")}`;
}
