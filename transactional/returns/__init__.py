"""Returned goods and their refunds."""
