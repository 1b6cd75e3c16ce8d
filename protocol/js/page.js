/** What the browser knows of the page and the network; where there is no browser, all is well. */

/**
 * @typedef {object} PageHandlers
 * @property {(visible: boolean) => void} visibility the page was shown or hidden
 * @property {(idle: boolean) => void} idle nobody touched the page for a while, or somebody does
 *   again
 * @property {(online: boolean) => void} network the machine went on or off line
 * @property {(shown: boolean) => void} frozen the page goes into, or came back from, the cache
 */

/** Without a key or a pointer for this long the user has left the page alone. */
export const IDLE_MS = 5 * 60_000;

const SIGNS_OF_LIFE = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "focus"];

export const isVisible = () => globalThis.document?.visibilityState !== "hidden";
export const isOnline = () => globalThis.navigator?.onLine !== false;

/**
 * Watch until the returned function is called.
 * @param {PageHandlers} handlers
 */
export function watchPage({ visibility, idle, network, frozen }) {
  const { document, window } = globalThis;
  if (document === undefined || window === undefined) return () => {};
  const stop = new AbortController();
  const options = { signal: stop.signal };
  document.addEventListener("visibilitychange", () => visibility(isVisible()), options);
  window.addEventListener("online", () => network(true), options);
  window.addEventListener("offline", () => network(false), options);
  window.addEventListener("pagehide", () => frozen(false), options);
  window.addEventListener("pageshow", (event) => event.persisted && frozen(true), options);
  const restless = watchIdleness(window, idle, stop.signal);
  document.addEventListener("visibilitychange", () => isVisible() && restless(), options);
  return () => stop.abort();
}

/**
 * Tell when nobody has touched the page for `IDLE_MS`. One timer, moved on only when it runs out,
 * because a pointer moves a hundred times a second.
 * @param {Window} window @param {(idle: boolean) => void} idle @param {AbortSignal} signal
 * @returns {() => void} to be called at a sign of life
 */
function watchIdleness(window, idle, signal) {
  let isIdle = false;
  let touchedAt = Date.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = () => {
    const leftMs = touchedAt + IDLE_MS - Date.now();
    if (leftMs > 0) {
      timer = setTimeout(look, leftMs);
    } else {
      isIdle = true;
      idle(true);
    }
  };
  const touched = () => {
    touchedAt = Date.now();
    if (!isIdle) return;
    isIdle = false;
    look();
    idle(false);
  };
  look();
  for (const sign of SIGNS_OF_LIFE)
    window.addEventListener(sign, touched, { signal, passive: true, capture: true });
  signal.addEventListener("abort", () => clearTimeout(timer));
  return touched;
}
