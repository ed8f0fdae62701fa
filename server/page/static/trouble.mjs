/**
 * What goes wrong, in words that say what to do. Every trouble is { title, advice, passes }; `passes` where trying again
 * can help without anybody doing anything.
 */

export class Trouble extends Error {
  constructor(title, advice = "", passes = false) {
    super(title);
    Object.assign(this, { title, advice, passes });
  }
}

/** Of getUserMedia or getDisplayMedia (W3C Media Capture, 10.2.1). */
export function troubleOfSource(error, kind) {
  if (error instanceof Trouble) return error;
  const microphone = kind === "microphone";
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return microphone
        ? new Trouble(
            "The browser does not let this page use the microphone.",
            "Allow it: the sign beside the address opens the page's permissions. Then start again.",
          )
        : new Trouble("No tab was shared.", "Start again, choose a tab and share its sound.");
    case "NotFoundError":
    case "OverconstrainedError":
      return new Trouble("No microphone was found.", "Connect one, or choose a file or a tab's sound.");
    case "NotReadableError":
    case "AbortError":
      return new Trouble("The microphone cannot be opened.", "Another program may be using it. Close that, then start again.");
    case "EncodingError":
      return new Trouble("The browser cannot read this file.", "Use WAV, MP3, FLAC, Ogg or MP4 with sound.");
    default:
      return new Trouble("The sound cannot be opened.", String(error?.message ?? error));
  }
}

/** Where the browser has no microphone to give, because the page did not come safely. */
export function insecure(host) {
  return new Trouble(
    "The browser gives the microphone to safe pages only.",
    `Open this page over HTTPS, or on the server's own machine as http://localhost. ${host} is neither.`,
  );
}

/** Of the request that opens the door: an HTTP status and the server's own words. */
export function troubleOfDoor(status, detail) {
  if (status === 401) return new Trouble("The server wants a key.", `${sentence(detail)} Enter a key that its operator gave you.`);
  if (status === 403) {
    return new Trouble("The server does not let this page in.", `${sentence(detail)} Its operator can add it to allowed_origins.`);
  }
  if (status === 429) return new Trouble("The server has too many visitors.", sentence(detail), true);
  return new Trouble("The server cannot begin.", `${sentence(detail)} (${status})`, status >= 500);
}

/** Of an `error` message on the socket. */
export function troubleOfMessage({ code, desc = "" }) {
  if (/concurrency limit/.test(desc)) return new Trouble("The server is full.", sentence(afterPath(desc)), true);
  if (/is installed|is not installed/.test(desc)) {
    return new Trouble("This language is not installed on the server.", sentence(afterPath(desc)));
  }
  if (/is not a supported language/.test(desc)) {
    return new Trouble("The server does not know one of these languages.", "Use a code such as es or pt-br.");
  }
  if (code === "SERVICE_UNAVAILABLE") return new Trouble("The server is not ready.", sentence(desc), true);
  if (code === "SERVICE_TIMEOUT") return new Trouble("The server has waited too long.", sentence(desc), true);
  return new Trouble("The server reports a fault.", sentence(afterPath(desc)), code === "SERVER_ERROR");
}

/** `pipeline.translations[0].target_language: no translator …` without the path, which is the page's, not the user's. */
function afterPath(text) {
  return text.replace(/^pipeline[\w.[\]]*:\s*/, "");
}

function sentence(text) {
  const trimmed = String(text ?? "").trim();
  if (!trimmed) return "";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
