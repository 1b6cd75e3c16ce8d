"""What buyers have by the lines of their orders, and what becomes of it.

Owns the tables `product_benefits`, `grants` and `grant_steps`. Tells `GrantChanged` on the order's
and the buyer's topic. Hears what happens to orders and follows: grants what is paid, suspends what
is disputed, revokes what is refunded or lost, and gives back what is the buyer's again.
"""
