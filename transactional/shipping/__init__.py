"""Parcels and shipping charges."""
