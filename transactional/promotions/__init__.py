"""Coupons and offers."""
