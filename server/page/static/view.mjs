/**
 * Captions on the page: a column for each track, certain lines in a log that is read out, the supposed one beside it.
 */
import { ORIGINAL, textOf } from "./captions.mjs";
import { directionOf, nameOf } from "./languages.mjs";

export class CaptionView {
  constructor(root) {
    this.root = root;
    this.columns = new Map();
  }

  /** A column for each track; `spoken` is the one that a screen reader reads out. */
  open(names, spoken) {
    this.columns.clear();
    this.root.replaceChildren(...names.map((name) => this.#column(name, name === spoken)));
  }

  /** Draw what has changed in a track. */
  draw(name, { lines, supposed }) {
    const column = this.columns.get(name);
    if (!column) return;
    const { scroller, log, open } = column;
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
    lines.forEach((line, at) => {
      const shown = log.children[at] ?? log.appendChild(paragraph(line.language));
      const text = textOf(line);
      if (shown.textContent !== text) shown.textContent = text;
    });
    open.textContent = supposed?.text ?? "";
    open.hidden = !supposed?.text;
    if (supposed) mark(open, supposed.language);
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  #column(name, spoken) {
    const section = document.createElement("section");
    const title = document.createElement("h2");
    const scroller = document.createElement("div");
    const log = document.createElement("div");
    const open = paragraph("en");
    title.id = `track-${name}`;
    title.textContent = name === ORIGINAL ? "Original" : nameOf(name);
    section.className = "track";
    section.dataset.track = name;
    section.setAttribute("aria-labelledby", title.id);
    scroller.className = "lines";
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "group");
    scroller.setAttribute("aria-labelledby", title.id);
    log.setAttribute("role", "log");
    log.setAttribute("aria-live", spoken ? "polite" : "off");
    log.setAttribute("aria-labelledby", title.id);
    open.className = "supposed";
    open.hidden = true;
    open.setAttribute("aria-hidden", "true"); // it changes with every word; what becomes of it is read out
    scroller.append(log, open);
    section.append(title, scroller);
    this.columns.set(name, { scroller, log, open });
    return section;
  }
}

function paragraph(language) {
  return mark(document.createElement("p"), language);
}

function mark(element, language) {
  element.lang = language.replace("_", "-");
  element.dir = directionOf(language);
  return element;
}
