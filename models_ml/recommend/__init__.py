"""Recommenders: one protocol, one class a source."""
