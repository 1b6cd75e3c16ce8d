/** What is said of an order's states and steps; the server's `rendering.py` says them alike. */

/** @type {Record<string, string>} */
export const STATES = {
  draft: "Draft",
  awaiting_payment: "Waiting for payment",
  processing: "Payment on its way",
  paid: "Paid",
  fulfilled: "Ready",
  canceled: "Canceled",
  expired: "Expired",
  paid_late: "Paid too late",
  partially_refunded: "Partly refunded",
  refunded: "Refunded",
};

/** Each step's name, and a sentence about it. @type {Record<string, [string, string]>} */
export const STEPS = {
  order_placed: ["Placed", "We have your order."],
  order_processing: ["Payment on its way", "The bank is at it; this may take days."],
  order_payment_failed: ["Payment failed", "Nothing was taken. You can try again."],
  order_paid: ["Paid", "Nothing is left to pay."],
  order_fulfilled: ["Ready", "Everything in it is yours."],
  order_canceled: ["Canceled", "It was given up before it was paid."],
  order_expired: ["Expired", "It was not paid in time."],
  order_paid_late: ["Paid too late", "The order was over; the money goes back."],
  order_refunded: ["Refunded", "Money goes back to you."],
  order_disputed: ["Disputed", "Your bank asks for the money back."],
  order_dispute_closed: ["Dispute decided", "Your bank has decided."],
  order_held: ["On hold", "The shop looks at it before it goes on."],
  order_released: ["Going on", "The shop has looked at it."],
  order_delivery_changed: ["Delivery changed", "See below what you have."],
};

/** The steps an order means to go. */
export const PLAN = ["order_placed", "order_paid", "order_fulfilled"];

/** States in which an order goes no further by itself. */
export const OVER = new Set(["canceled", "expired", "paid_late", "refunded"]);
