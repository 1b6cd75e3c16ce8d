"""Telling others: signed deliveries, with knobs for everything that can go wrong on the way."""
