"""What those who look after the shop may see and do: list, kick and notify connections."""
