/** Sign in, register, or come in as somebody from the demo. */

import { ask, sentence } from "./api.js";
import { find } from "./dom.js";
import { forgetTicket } from "./live.js";

export function showSignIn() {
  const form = find("form[data-sign-in]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    enter(form, async ({ email, password }) => ask("POST", "/v1/sessions", { email, password }));
  });
  const register = find("form[data-register]");
  register?.addEventListener("submit", (event) => {
    event.preventDefault();
    enter(register, async ({ email, name, password }) =>
      ask("POST", "/v1/accounts", { email, name, password }),
    );
  });
  for (const button of document.querySelectorAll("button[data-demo-user]")) {
    button.addEventListener("click", () =>
      enter(find(".demo"), async () =>
        ask("POST", "/v1/sessions/demo", { user: Number(button.getAttribute("data-demo-user")) }),
      ),
    );
  }
}

/** @param {HTMLElement} part @param {(fields: any) => Promise<unknown>} act */
async function enter(part, act) {
  const told = find(".form-problem", part);
  const fields = part instanceof HTMLFormElement ? Object.fromEntries(new FormData(part)) : {};
  told.hidden = true;
  part.setAttribute("aria-busy", "true");
  try {
    await act(fields);
    forgetTicket();
    location.assign(nextPage());
  } catch (error) {
    told.textContent = sentence(error);
    told.hidden = false;
    part.removeAttribute("aria-busy");
  }
}

/** Only ever a page of this shop. */
function nextPage() {
  const asked = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return asked.origin === location.origin ? asked.pathname + asked.search + asked.hash : "/";
}
