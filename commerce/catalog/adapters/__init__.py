"""Where the catalogue's pictures are kept."""
