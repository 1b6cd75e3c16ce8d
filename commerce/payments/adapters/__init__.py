"""What payments stand on."""
