/** Say numbers, moments and names as people do. The server's `rendering.py` says them alike. */

const TONES = 8;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Currencies without decimals, and of three; see `protocol/money.py`. */
const NO_DECIMALS = new Set(
  "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" "),
);
const THREE_DECIMALS = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "));

/** @typedef {{ amount_minor: number, currency: string }} Money */

/** How much, also that it is nothing. @param {Money} amount */
export function sumOf({ amount_minor: minor, currency }) {
  const digits = NO_DECIMALS.has(currency) ? 0 : THREE_DECIMALS.has(currency) ? 3 : 2;
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(minor / 10 ** digits);
}

/** What something costs. @param {Money} price */
export const money = (price) => (price.amount_minor === 0 ? "Free" : sumOf(price));

/** More than this many are simply there: the number is the shop's business. */
const FEW = 10;

/** What buyers are told of a stock. @param {number | null | undefined} stock */
export function stockLeft(stock) {
  if (stock === null || stock === undefined || stock > FEW) return "";
  return stock === 0 ? "Sold out" : `Only ${stock} left`;
}

/** @param {number} ms */
export const clockTime = (ms) => clock.format(ms);

/** @param {number} ms */
export const fullTime = (ms) => moment.format(ms);

/** The time today, else the date. @param {number} ms */
export function shortTime(ms) {
  return isSameDay(ms, Date.now()) ? clock.format(ms) : date.format(ms);
}

/** @param {number} ms */
export function dayName(ms) {
  if (isSameDay(ms, Date.now())) return "Today";
  if (isSameDay(ms, Date.now() - 86_400_000)) return "Yesterday";
  return day.format(ms);
}

/** @param {number} one @param {number} other */
export function isSameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

/** The colour that stands for a person or a thing, everywhere the same. @param {string} id */
export function tone(id) {
  return [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % TONES;
}

/** @param {number} count @param {string} one @param {string} many */
export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** Show moments that the server wrote in UTC in the reader's own time. @param {ParentNode} [within] */
export function localizeTimes(within = document) {
  for (const element of within.querySelectorAll("time[data-at]")) {
    const at = Number(element.getAttribute("data-at"));
    const kind = element.getAttribute("data-as");
    element.textContent =
      kind === "clock" ? clockTime(at) : kind === "short" ? shortTime(at) : fullTime(at);
    element.setAttribute("title", fullTime(at));
  }
}
