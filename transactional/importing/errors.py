"""The one refusal of an import: the file or the shop does not allow it, and nothing was changed."""


class ImportRefused(Exception):
    """Says what is wrong and where, for the person who gave the file."""
