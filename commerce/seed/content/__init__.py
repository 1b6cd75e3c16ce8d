"""What the seeded shop is filled with: shelves, people and what they say to one another."""
