"""Notifications: what users are told, by the shop itself and by other services.

Owns the tables `notification_inboxes` and `notifications`. Takes in the Redis stream
`notifications`, to which any service adds entries of plain text fields:

    user      who is told: `usr_…`
    title     1 to 120 characters
    body      at most 1000 characters; optional
    link      where it leads: a path of the shop (`/orders/ord_…`) or an `https:` address; optional
    category  a lower-case word such as `orders`; optional, `general` if left out
    key       the sender's idempotency key, at most 128 characters: once for each user; optional

An entry that is anything else goes to `notifications:dead` with the reason. Tells
`NotificationReceived` and `NotificationsRead` on the user's topic. Reacts to `OrderFulfilled`
and `Mentioned`.
"""
