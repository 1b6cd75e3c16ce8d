"""Tools both programs stand on, under any event loop and without I/O of their own."""
