"""The seeded shop: products, people, conversations and orders, the same every time.

Sits above all features and writes through their services. Nothing is told: what is seeded is
history. Running it again adds only what is missing.
"""
