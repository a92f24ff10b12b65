"""Recommendations, asked of the serving process within a time budget."""
