/** What every page runs: the shell, and whichever live parts this page has. */

import { showBell } from "./bell.js";
import { showCartPage } from "./cart.js";
import { showCatalogue } from "./catalogue.js";
import { showCheckout } from "./checkout.js";
import { showConnection } from "./connection.js";
import { find } from "./dom.js";
import { localizeTimes } from "./format.js";
import { showHeader } from "./header.js";
import { showOrders, showRooms } from "./lists.js";
import { showLicenses } from "./licenses.js";
import { client } from "./live.js";
import { showMethods } from "./methods.js";
import { showOrder } from "./order.js";
import { showProduct } from "./product.js";
import { Room } from "./room.js";
import { showSignIn } from "./signin.js";
import { showSubscriptions } from "./subscriptions.js";
import { showNotices } from "./toasts.js";

localizeTimes();
if (client !== null) {
  showConnection(client);
  showNotices(client);
}
showHeader();
showBell();
showCatalogue();
showProduct();
showCartPage();
showCheckout();
showOrder();
showMethods();
showSubscriptions();
showLicenses();
showOrders();
showRooms();
showSignIn();

const room = find("[data-room]");
if (room !== null) new Room(room);
