/** The seller's pages: each form is one request to the shop's interface, then the page anew. */

import { mintKey } from "../rialto/index.js";
import { ask, sentence } from "./api.js";
import { find } from "./dom.js";

/** @param {HTMLFormElement} form */
function bodyOf(form) {
  const given = new FormData(form);
  /** @type {Record<string, unknown>} */
  const body = {};
  for (const [name, text] of given) if (text !== "" && name !== "line") body[name] = text;
  const lines = given.getAll("line").map((line) => ({ line }));
  if (lines.length > 0) body.lines = lines;
  if (body.restock !== undefined) body.restock = true;
  return body;
}

for (const form of document.querySelectorAll("form[data-act]")) {
  const key = mintKey();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = find(".form-problem", form);
    const verdict = event.submitter?.getAttribute("value");
    const path = verdict ? `${form.dataset.act}/${verdict}` : form.dataset.act;
    problem.hidden = true;
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try {
      await ask(form.dataset.word, path, bodyOf(form), { key });
      location.reload();
    } catch (error) {
      problem.textContent = sentence(error);
      problem.hidden = false;
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    }
  });
}
