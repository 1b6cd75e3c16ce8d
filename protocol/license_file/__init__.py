"""Licence files: their specification, verifiers to copy, and vectors to test them with."""
