"""A stand-in for Stripe: the part of its API that the shop uses, stateful, on this machine.

The official SDK talks to it unmodified. What it promises is written down as the contract suite in
`tests/contracts/stripe`, which also runs against Stripe itself. No money and no real card is here.
"""
