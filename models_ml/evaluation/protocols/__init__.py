"""Evaluation protocols on public data: what `python -m models_ml evaluate` runs."""
