"""Dagster's assets, one file a stage; `pipelines/definitions.py` gathers them."""
