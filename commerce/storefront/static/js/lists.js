/** Lists that stay true while they are looked at: the user's orders, the user's rooms. */

import { ask } from "./api.js";
import { find, h, pageData } from "./dom.js";
import { initials, money, shortTime, tone } from "./format.js";
import { client, me } from "./live.js";
import { STATES } from "./states.js";

/** Rooms heard at once on the list's page; the rest is right when the page is opened. */
const ROOMS_HEARD_MAX = 60;

export function showOrders() {
  const list = find("[data-orders]");
  if (list === null) return;
  client?.subscribeOwn({
    event: (event) => event.type.startsWith("order_") && showOrderRow(list, event.order),
  });
}

/** @param {HTMLElement} list @param {import("../rialto/types.d.ts").Order} order */
function showOrderRow(list, order) {
  const known = find(`[data-order="${order.id}"]`, list);
  if (known !== null) {
    if (Number(known.dataset.version) > order.version) return;
    known.dataset.version = String(order.version);
    const state = find(".order-state", known);
    state.textContent = STATES[order.state];
    state.dataset.state = order.state;
    return;
  }
  find(".empty-state")?.remove();
  list.prepend(
    h(
      "li",
      { "data-order": order.id, "data-version": order.version },
      h(
        "a",
        { class: "row-link", href: `/orders/${order.id}` },
        h(
          "span",
          { class: "row-main" },
          h("strong", {}, order.number),
          h("span", { class: "muted" }, order.lines.map((line) => line.title).join(", ")),
        ),
        h("span", { class: "order-state", "data-state": order.state }, STATES[order.state]),
        h("span", { class: "row-sum" }, money(order.total)),
        h(
          "time",
          { datetime: new Date(order.placed_at_ms).toISOString() },
          shortTime(order.placed_at_ms),
        ),
      ),
    ),
  );
}

export function showRooms() {
  const list = find("[data-rooms]");
  if (list === null || client === null) return;
  /** @type {Map<string, { room: any, leave: () => void }>} */
  const rooms = new Map();
  for (const room of pageData("rooms-data")) hearRoom(list, rooms, room);
  client.subscribeOwn({
    event: (event) => {
      const known = rooms.get(event.room)?.room;
      if (event.type === "read_marked" && known) showUnread(list, known, event.unread);
      if (event.type === "member_joined" && !known) addRoom(list, rooms, event.room);
      if (event.type === "member_left") removeRoom(list, rooms, event.room);
    },
  });
}

function hearRoom(list, rooms, room) {
  if (client === null || rooms.size >= ROOMS_HEARD_MAX) return;
  const leave = client.subscribe(`room:${room.id}`, {
    event: (event) => event.type === "message_sent" && showMessage(list, room, event.message),
    reread: (reason) => reason !== "start" && rereadRoom(list, room),
  });
  rooms.set(room.id, { room, leave });
}

async function addRoom(list, rooms, id) {
  const room = await ask("GET", `/v1/rooms/${id}`).catch(() => null);
  if (room === null || rooms.has(id) || find(`[data-room-row="${id}"]`, list) !== null) return;
  find(".empty-state")?.remove();
  list.prepend(roomRow(room));
  hearRoom(list, rooms, room);
}

function removeRoom(list, rooms, id) {
  rooms.get(id)?.leave();
  rooms.delete(id);
  find(`[data-room-row="${id}"]`, list)?.remove();
}

function roomRow(room) {
  const last = room.last_message;
  const said = last ? `${last.author.name}: ${last.text}` : "Nothing said yet";
  const at = last ? last.sent_at_ms : room.active_at_ms;
  return h(
    "li",
    { "data-room-row": room.id },
    h(
      "a",
      { class: "row-link", href: `/rooms/${room.id}` },
      h(
        "span",
        { class: `avatar tone-${tone(room.id)}`, "aria-hidden": "true" },
        initials(room.title),
      ),
      h(
        "span",
        { class: "row-main" },
        h("strong", {}, room.title),
        h("span", { class: "muted last" }, said),
      ),
      h("b", { class: "badge", hidden: room.unread === 0 }, String(room.unread)),
      h("time", { datetime: new Date(at).toISOString() }, shortTime(at)),
    ),
  );
}

async function rereadRoom(list, room) {
  const fresh = await ask("GET", `/v1/rooms/${room.id}`).catch(() => null);
  if (fresh === null) return;
  if (fresh.last_message) showMessage(list, room, fresh.last_message);
  showUnread(list, room, fresh.unread);
}

function showMessage(list, room, message) {
  if (message.seq <= room.last_seq) return;
  room.last_seq = message.seq;
  const row = find(`[data-room-row="${room.id}"]`, list);
  find(".last", row).textContent = `${message.author.name}: ${message.text}`;
  find("time", row).textContent = shortTime(message.sent_at_ms);
  if (message.author.id !== me?.id) showUnread(list, room, room.unread + 1);
  if (list.firstElementChild !== row && !row.contains(document.activeElement)) list.prepend(row);
}

function showUnread(list, room, unread) {
  room.unread = unread;
  const badge = find(`[data-room-row="${room.id}"] .badge`, list);
  badge.textContent = unread > 99 ? "99+" : String(unread);
  badge.hidden = unread === 0;
}
