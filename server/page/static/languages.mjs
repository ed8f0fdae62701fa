/**
 * Which languages can be chosen, from what the server says in /ready, and how they are called and written.
 */

const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"]);
export const ANY = "auto";

/** From /ready: languages that are heard, where each can go, and which of them have a voice. */
export function choicesOf(ready) {
  const targets = new Map(Object.keys(ready.recognise ?? {}).map((code) => [code, new Set()]));
  for (const pair of Object.keys(ready.translate ?? {})) {
    const [source, target] = pair.split("→");
    targets.get(source)?.add(target);
  }
  return { sources: [...targets.keys()].sort(), targets, spoken: new Set(Object.keys(ready.speak ?? {})) };
}

/** Targets for a source, or for any of them. */
export function targetsFor(choices, source) {
  const sets = source === ANY ? [...choices.targets.values()] : [choices.targets.get(source) ?? []];
  return [...new Set(sets.flatMap((set) => [...set]))].sort();
}

/** Codes that somebody typed: letters and a region, each once, in lower case. */
export function codesIn(text) {
  const codes = text.toLowerCase().split(/[\s,;]+/);
  return [...new Set(codes.filter((code) => /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/.test(code)))];
}

/** The language of a code without its region. */
export function baseOf(code) {
  return code.toLowerCase().split(/[-_]/)[0];
}

export function nameOf(code) {
  if (code === ANY) return "Find out";
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code.replace("_", "-")) ?? code;
  } catch {
    return code;
  }
}

/** The direction of a language's usual script, for a line that has no letters yet. */
export function directionOf(code) {
  return RIGHT_TO_LEFT.has(baseOf(code)) ? "rtl" : "ltr";
}
