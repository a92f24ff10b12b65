"""The stream of shopper behaviour."""
