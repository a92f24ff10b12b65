"""Churn: the probability that a customer places no order in the next 90 days."""
