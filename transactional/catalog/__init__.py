"""Products, categories, occasions and prices."""
