"""What is for sale: categories, products, variants, prices, stock and cover pictures.

Owns the tables `categories`, `products` and `variants`, and the files under `RIALTO_FILES_DIR`.
Tells `ProductChanged` on the product's topic. Reacts to nothing.
"""
