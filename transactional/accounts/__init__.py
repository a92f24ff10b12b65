"""Registration, log-in, sessions and the customer behind them."""
