/**
 * What was said and translated, as lines of tracks. One track is ORIGINAL, every other a target's code.
 *
 * A line has parts, in the order in which they came; all that is in it is certain. What is only supposed is kept beside
 * the lines, one text at most. Times are seconds since the talk began, on the clock of its sound.
 */

export const ORIGINAL = "original";

export class Captions {
  constructor(targets) {
    this.tracks = new Map([ORIGINAL, ...targets].map((name) => [name, { lines: [], supposed: null }]));
  }

  /** Take a message of the server; `base_s` is where its connection began. The name of the track that changed, or null. */
  take({ message_type: kind, data }, base_s = 0) {
    const said = data?.transcription;
    if (said === undefined) return null;
    const part = partOf(said, base_s);
    switch (kind) {
      case "partial_transcription":
        this.tracks.get(ORIGINAL).supposed = { id: said.transcription_id, language: said.language, ...part };
        return ORIGINAL;
      case "validated_transcription":
        this.tracks.get(ORIGINAL).supposed = null;
        this.#add(ORIGINAL, said, part);
        return ORIGINAL;
      case "translated_transcription":
        if (!this.tracks.has(said.language)) return null;
        this.#add(said.language, said, part);
        return said.language;
      default:
        return null;
    }
  }

  /** Nothing comes of what was supposed: the connection that would have said so is gone. */
  forget() {
    this.tracks.get(ORIGINAL).supposed = null;
  }

  /** Where the translation of an id was spoken, in seconds; undefined where nobody knows. */
  spokenAt(track, id, number) {
    const line = this.tracks.get(track)?.lines.find((one) => one.id === id);
    return (line?.parts.find((part) => part.number === number) ?? line?.parts.at(-1))?.start_s;
  }

  get empty() {
    return [...this.tracks.values()].every((track) => track.lines.length === 0);
  }

  #add(name, said, part) {
    const { lines } = this.tracks.get(name);
    const known = name === ORIGINAL ? undefined : lines.find((line) => line.id === said.transcription_id);
    if (known === undefined) lines.push({ id: said.transcription_id, language: said.language, parts: [part] });
    else known.parts.push(part);
  }
}

function partOf(said, base_s) {
  const segments = said.segments ?? [];
  return {
    number: Number(said.translation_part_id ?? 0),
    text: said.text,
    start_s: segments.length ? base_s + segments[0].start : undefined,
    stop_s: segments.length ? base_s + segments.at(-1).end : undefined,
  };
}

/** The text of a line. */
export function textOf(line) {
  return line.parts.map((part) => part.text).join(" ");
}
