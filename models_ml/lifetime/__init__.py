"""Customer lifetime value: how often a customer will order again, and for how much."""
