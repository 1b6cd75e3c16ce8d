"""Codes that make things cheaper: who may use them, when, and how often.

Owns the tables `discounts` and `discount_redemptions`. What a code takes off a basket is worked
out by `pricing`; orders reserve it, and redeem it when they are paid.
"""
