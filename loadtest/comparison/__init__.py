"""Rialto beside other servers, measured in one run; start reading in `suite.py`."""
