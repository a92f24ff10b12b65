"""Measurements: JSON out, each with a baseline of the same run; never asserted as a time in a test."""
