"""Money that goes back to buyers: because the shop gives it, or because their banks take it.

Owns the tables `refundable_orders`, `refunds`, `refund_lines`, `refund_steps`, `refund_requests`,
`disputes` and `fraud_warnings`. Tells `RefundChanged` on the order's and the buyer's topic. Hears
`OrderPaidLate`, and gives the money back.
"""
