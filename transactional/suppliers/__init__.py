"""Suppliers, what they sell to the shop, and the orders that the shop places with them."""
