"""Files of what is in the books: orders, their lines, refunds and the ledger, for the staff.

Owns the table `exports` and the folder `exports` among the shop's files, which no page serves.
Tells `ExportChanged` on the topic of who asked. A program of its own writes the files, so that a
million rows neither hold up the worker nor fill its memory.
"""
