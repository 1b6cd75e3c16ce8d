/** The notification bell: how many are unread, and the newest of them in a panel. */

import { ask } from "./api.js";
import { fill, find, h } from "./dom.js";
import { plural, shortTime } from "./format.js";
import { client, known } from "./live.js";
import { toast } from "./toasts.js";

const SHOWN_MAX = 20;

/** @type {import("../rialto/types.d.ts").Notification[]} newest first */
let shown = [];
let unread = known?.unread ?? 0;
let isRead = false;

export function showBell() {
  if (client === null) return;
  showCount();
  find("#bell-panel").addEventListener("toggle", ({ newState }) => newState === "open" && open());
  client.subscribeOwn({ event: heard, reread: () => (isRead ? read() : readCount()) });
}

/** @param {any} event @param {{ atMs: number }} about */
function heard(event, { atMs }) {
  if (event.type === "notification_received") {
    if (shown.some((one) => one.id === event.notification.id)) return;
    shown = [event.notification, ...shown].slice(0, SHOWN_MAX);
    unread = event.unread;
    const { title, link } = event.notification;
    if (
      client !== null &&
      client.now() - atMs < 60_000 &&
      event.notification.category !== "order"
    ) {
      if (link !== location.pathname)
        toast(title, { link: link ? { href: link, label: "Open" } : undefined });
    }
  } else if (event.type === "notifications_read") {
    unread = event.unread;
    shown = shown.map((one) => (one.id <= event.up_to ? { ...one, read: true } : one));
  } else return;
  showCount();
  showList();
}

async function open() {
  if (!isRead) await read();
  const newest = shown[0];
  if (unread > 0 && newest)
    ask("POST", "/v1/notifications/read", { up_to: newest.id }).catch(() => {});
}

async function read() {
  try {
    const page = await ask("GET", `/v1/notifications?limit=${SHOWN_MAX}`);
    shown = page.items;
    unread = page.unread;
    isRead = true;
    showCount();
    showList();
  } catch {
    fill(
      find("#bell-list"),
      h("li", { class: "empty" }, "Notifications cannot be read right now."),
    );
  }
}

async function readCount() {
  const page = await ask("GET", "/v1/notifications?limit=1").catch(() => null);
  if (page === null) return;
  unread = page.unread;
  showCount();
}

function showCount() {
  const badge = find("#bell-count");
  badge.textContent = unread > 99 ? "99+" : String(unread);
  badge.hidden = unread === 0;
  find("#bell").setAttribute("aria-label", `Notifications, ${plural(unread, "unread", "unread")}`);
}

function showList() {
  if (!isRead) return;
  const rows = shown.map((one) =>
    h(
      "li",
      { class: one.read ? "note" : "note unread" },
      h(
        one.link ? "a" : "div",
        { href: one.link, class: "note-text" },
        h("strong", {}, one.title),
        one.body ? h("span", {}, one.body) : null,
      ),
      h(
        "time",
        { datetime: new Date(one.created_at_ms).toISOString() },
        shortTime(one.created_at_ms),
      ),
    ),
  );
  fill(
    find("#bell-list"),
    ...(rows.length > 0
      ? rows
      : [h("li", { class: "empty" }, "Nothing yet. Orders and mentions turn up here.")]),
  );
}
