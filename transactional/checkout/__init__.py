"""From basket to order: prices frozen, stock held."""
