"""What goes to the state: rates by country and class of goods, each with its days.

Owns the table `tax_rates`. Which tax a basket comes to is worked out by `pricing`.
"""
