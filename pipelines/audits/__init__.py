"""Audits: what must be true of a build before anybody sees it, beyond what dbt tests row by row."""
