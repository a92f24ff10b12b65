"""Razorpay payments, refunds and the money ledger."""
