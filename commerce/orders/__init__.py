"""What somebody bought, and where it stands.

Owns the tables `orders`, `order_lines` and `order_events`. An order goes only the ways of the table
in `model.machine`; each step is one row in its log and one event (`OrderPlaced`, `OrderPaid` and so
on) on the order's and the buyer's topic. Takes the commands `PlaceOrder` and `CancelOrder`. Expires
what is not paid in time.
"""
