"""The shop: catalogue, checkout, payments, stock, loyalty, support — the one source of truth."""
