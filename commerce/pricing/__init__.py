"""What a basket comes to: prices, discounts and taxes, to the last minor unit.

Owns no table. `model.allocate` splits money so that the parts come to the whole; everything that
splits money uses it.
"""
