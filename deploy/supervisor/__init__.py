"""Watches over processes: starts them in stages, brings them back, stops them in order.

It knows nothing of shops: it is given a list of stages and a folder.
"""
