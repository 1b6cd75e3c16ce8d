/** The checkout: what the cart comes to, where the buyer is, and with which codes; then the order. */

import { mintKey } from "../rialto/index.js";
import { ProblemError, ask, sentence } from "./api.js";
import { currentCart, onCart, readCart } from "./cart_store.js";
import { COUNTRIES, keepCountry, presentCountry } from "./countries.js";
import { fill, find, h, icon } from "./dom.js";
import { sumOf } from "./format.js";

const CODES_KEPT = "rialto.codes";
const CODES_MAX = 5;
/** A quote is asked for anew so long before its end. */
const EARLY_MS = 5_000;
/** After these a new quote may be what the buyer wants. */
const OUTDATED = new Set(["quote_expired", "quote_outdated", "cart_changed_meanwhile"]);

/** @type {string[]} */
let codes = JSON.parse(sessionStorage.getItem(CODES_KEPT) ?? "[]");
/** @type {any} */
let quote = null;
let asking = 0;
let isOrdering = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let ending;

export function showCheckout() {
  const page = find("[data-checkout]");
  if (page === null) return;
  const country = find("#country", page);
  fill(country, ...COUNTRIES.map(({ code, name }) => h("option", { value: code }, name)));
  country.value = presentCountry();
  country.addEventListener("change", () => {
    keepCountry(country.value);
    askForQuote(page);
  });
  find("[data-codes]", page).addEventListener("submit", (event) => {
    event.preventDefault();
    addCode(page);
  });
  find("#confirm-repeat", page).addEventListener("change", () => show(page));
  find("#confirm-order", page).addEventListener("click", () => order(page));
  onCart((cart) => {
    if (isOrdering) return;
    if (cart.lines.length === 0) location.assign("/cart");
    else if (quote?.cart_version !== cart.version) askForQuote(page);
  });
}

/** @param {HTMLElement} page */
async function askForQuote(page) {
  const cart = currentCart();
  if (cart === null || isOrdering) return false;
  const turn = ++asking;
  page.setAttribute("aria-busy", "true");
  quote = null;
  show(page);
  try {
    const asked = { cart_version: cart.version, country: find("#country", page).value, codes };
    const fresh = await ask("POST", "/v1/quotes", asked);
    if (turn !== asking) return false;
    quote = fresh;
    tell(page, "");
    clearTimeout(ending);
    ending = setTimeout(
      () => askForQuote(page),
      Math.max(EARLY_MS, fresh.expires_at_ms - Date.now() - EARLY_MS),
    );
    return true;
  } catch (error) {
    if (turn === asking) refused(page, error);
    return false;
  } finally {
    if (turn === asking) {
      page.removeAttribute("aria-busy");
      show(page);
    }
  }
}

/** @param {HTMLElement} page @param {unknown} error */
function refused(page, error) {
  const code = error instanceof ProblemError ? error.code : "";
  if (code.startsWith("discount_") && codes.length > 0) {
    // The last one typed is the one that is wrong, unless one of before has ended meanwhile.
    const said = sentence(error).toUpperCase();
    const wrong = codes.find((one) => said.includes(one)) ?? codes[codes.length - 1];
    keepCodes(codes.filter((one) => one !== wrong));
    sayOfCode(page, sentence(error));
    askForQuote(page);
  } else if (code === "cart_changed_meanwhile") {
    readCart().then(() => askForQuote(page));
  } else {
    tell(page, sentence(error));
  }
}

/** @param {HTMLElement} page */
async function addCode(page) {
  const field = find("#code", page);
  const typed = field.value.trim().toUpperCase();
  sayOfCode(page, "");
  if (typed === "" || codes.includes(typed)) return;
  if (codes.length >= CODES_MAX) return sayOfCode(page, "No more codes can be used at once.");
  keepCodes([...codes, typed]);
  if (await askForQuote(page)) field.value = "";
}

/** @param {string[]} next */
function keepCodes(next) {
  codes = next;
  sessionStorage.setItem(CODES_KEPT, JSON.stringify(codes));
}

/** @param {HTMLElement} page @param {string} text */
function sayOfCode(page, text) {
  const told = find("#code-told", page);
  told.textContent = text;
  told.hidden = text === "";
  find("#code", page).toggleAttribute("aria-invalid", text !== "");
}

/** @param {HTMLElement} page @param {string} text */
function tell(page, text) {
  const told = find("[data-told]", page);
  told.textContent = text;
  told.hidden = text === "";
}

/** @param {HTMLElement} page */
function show(page) {
  showCodes(page);
  const button = find("#confirm-order", page);
  const repeat = find("[data-repeat]", page);
  const isRepeat = (quote?.owned.length ?? 0) > 0;
  repeat.hidden = !isRepeat;
  button.disabled =
    quote === null || isOrdering || (isRepeat && !find("#confirm-repeat", page).checked);
  if (quote === null) return;
  const isFree = quote.total.amount_minor === 0;
  button.textContent = isOrdering ? "Placing your order…" : isFree ? "Order" : "Order and pay";
  find("#quote-total", page).textContent = sumOf(quote.total);
  find("[data-note]", page).textContent = isFree
    ? "Nothing to pay. It is yours at once."
    : "You pay on the next page. What is scarce is kept for you meanwhile.";
  const owned = quote.lines.filter((line) => quote.owned.includes(line.product));
  find("span", repeat).textContent =
    `You have ${owned.map((line) => line.title).join(", ")} already. Buy again.`;
  fill(find("[data-quoted]", page), ...quote.lines.map(quotedLine));
  fill(find("[data-sums]", page), ...sums());
}

/** @param {any} line */
function quotedLine(line) {
  const notes = [
    line.quantity > 1 && `${line.quantity} × ${sumOf(line.unit_price)}`,
    line.discount.amount_minor > 0 && `less ${sumOf(line.discount)}`,
  ].filter(Boolean);
  return h(
    "li",
    {},
    h(
      "span",
      { class: "row-main" },
      h("strong", {}, line.title),
      notes.length > 0 && h("span", { class: "muted" }, notes.join(" · ")),
    ),
    h("span", {}, sumOf(line.total)),
  );
}

/** What the total is made of; a tax within the prices is told, not added. */
function sums() {
  const rows = [["Subtotal", sumOf(quote.subtotal)]];
  if (quote.discount.amount_minor > 0) rows.push(["Discount", `−${sumOf(quote.discount)}`]);
  for (const share of quote.taxes)
    rows.push([share.is_inclusive ? `${share.name}, included` : share.name, sumOf(share.tax)]);
  return rows.flatMap(([name, amount]) => [h("dt", {}, name), h("dd", {}, amount)]);
}

/** @param {HTMLElement} page */
function showCodes(page) {
  const list = find(".chosen-parts", page);
  list.hidden = codes.length === 0;
  fill(
    list,
    ...codes.map((code) =>
      h(
        "li",
        { class: "chip" },
        code,
        h(
          "button",
          {
            type: "button",
            class: "quiet",
            "aria-label": `Do without the code ${code}`,
            onclick: () => {
              keepCodes(codes.filter((one) => one !== code));
              askForQuote(page);
            },
          },
          icon("close"),
        ),
      ),
    ),
  );
}

/** Order what was quoted; the same quote is ordered once, however often it is asked for.
 * @param {HTMLElement} page
 */
async function order(page) {
  if (quote === null || isOrdering) return;
  isOrdering = true;
  show(page);
  const body = { quote: quote.id, confirm_repeat: find("#confirm-repeat", page).checked };
  const name = `rialto.order.${quote.id}`;
  const key = sessionStorage.getItem(name) ?? mintKey();
  sessionStorage.setItem(name, key);
  try {
    const placed = await ask("POST", "/v1/orders", body, { key });
    sessionStorage.removeItem(CODES_KEPT);
    const isUnpaid = placed.state === "awaiting_payment";
    location.assign(`/orders/${placed.id}${isUnpaid ? "?pay" : ""}`);
  } catch (error) {
    isOrdering = false;
    if (error instanceof ProblemError) sessionStorage.removeItem(name);
    const isOutdated = error instanceof ProblemError && OUTDATED.has(error.code);
    if (isOutdated && (await readCart().then(() => askForQuote(page))))
      tell(page, "Something has changed. Look at the total, then order again.");
    else tell(page, sentence(error));
    show(page);
  }
}
