"""Readable addresses made of names."""

import unicodedata

_KEPT = {"L", "N", "M"}  # letters, digits and the marks that Indic scripts write vowels with


def slugify(name: str, *, limit: int = 120) -> str:
    """Lower-case words joined by hyphens; letters of every script stay, accents of Latin ones go.

    Empty when the name holds neither letter nor digit.
    """
    plain = unicodedata.normalize("NFC", _without_latin_accents(name)).casefold()
    words = "".join(c if unicodedata.category(c)[0] in _KEPT else " " for c in plain).split()
    return "-".join(words)[:limit].strip("-")


def _without_latin_accents(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    # U+0300–U+036F are the combining accents of European scripts.
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
