"""A shop that trades by itself."""
