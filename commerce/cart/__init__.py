"""What a user means to buy: one open cart each, the same on all their devices.

Owns the tables `carts` and `cart_lines`. Tells `CartChanged` on the owner's topic. Takes the
command `SetCartLine`.
"""
