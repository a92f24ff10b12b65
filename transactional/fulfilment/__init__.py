"""Where orders and parcels meet: packing units of an order, and following them."""
