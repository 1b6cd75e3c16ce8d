/** What the browser knows of the page and the network; where there is no browser, all is well. */

/**
 * @typedef {object} PageHandlers
 * @property {(visible: boolean) => void} visibility the page was shown or hidden
 * @property {(online: boolean) => void} network the machine went on or off line
 * @property {(shown: boolean) => void} frozen the page goes into, or came back from, the cache
 */

export const isVisible = () => globalThis.document?.visibilityState !== "hidden";
export const isOnline = () => globalThis.navigator?.onLine !== false;

/**
 * Watch until the returned function is called.
 * @param {PageHandlers} handlers
 */
export function watchPage({ visibility, network, frozen }) {
  const { document, window } = globalThis;
  if (document === undefined || window === undefined) return () => {};
  const stop = new AbortController();
  const options = { signal: stop.signal };
  document.addEventListener("visibilitychange", () => visibility(isVisible()), options);
  window.addEventListener("online", () => network(true), options);
  window.addEventListener("offline", () => network(false), options);
  window.addEventListener("pagehide", () => frozen(false), options);
  window.addEventListener("pageshow", (event) => event.persisted && frozen(true), options);
  return () => stop.abort();
}
