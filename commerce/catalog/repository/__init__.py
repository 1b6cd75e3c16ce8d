"""Every line of SQL about the catalogue.

Whoever changes a product, its prices or its stock holds the product's row first, products in the
order of their ids: nobody waits for somebody who waits for them.
"""
