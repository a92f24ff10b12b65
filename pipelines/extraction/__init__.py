"""Extraction: what the shop's journal touched since the last run, merged into `raw` exactly once."""

from pipelines.extraction.cursor import Cursor
from pipelines.extraction.extract import ExtractionReport, TableReport, extract
from pipelines.extraction.open import open_snapshot

__all__ = ["Cursor", "ExtractionReport", "TableReport", "extract", "open_snapshot"]
