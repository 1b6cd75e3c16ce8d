"""Postgres and Valkey out of wheels, for one machine and for the tests."""
