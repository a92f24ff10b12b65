"""PDF from the frozen rows alone: the same document gives the same bytes, on every machine, without network."""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import orjson
import typst

from transactional.core.errors import Unavailable
from transactional.documents.models import TaxDocument, TaxDocumentLine
from transactional.documents.paper import printed

TEMPLATES = Path(__file__).parent / "templates"

_FONT_PACKAGES = (
    "fontpkg_noto_sans",
    "fontpkg_noto_sans_arabic",
    "fontpkg_noto_sans_tamil",
    "fontpkg_noto_sans_telugu",
)
"""Installed with the shop. The first has Latin, Devanagari and the rupee sign."""


class FontsMissing(Unavailable):
    """Without its fonts a document would show boxes instead of letters."""

    code = "fonts-missing"
    title = "The fonts of documents are not installed"


def pdf(document: TaxDocument, lines: Sequence[TaxDocumentLine], *, fonts_dir: Path | None = None) -> bytes:
    """The document on paper. `fonts_dir` has fonts for further scripts. Raises FontsMissing."""
    # The texts reach the template as data, never as markup: whatever a name contains is printed as it stands.
    compiler = typst.Compiler(
        root=TEMPLATES,
        font_paths=_fonts(fonts_dir),
        ignore_system_fonts=True,
        sys_inputs={"document": orjson.dumps(printed(document, lines)).decode()},
    )
    made = compiler.compile(
        input=TEMPLATES / "document.typ", format="pdf", timestamp=int(document.issued_at.timestamp())
    )
    assert isinstance(made, bytes), "one PDF is one run of bytes"
    return made


@lru_cache(maxsize=4)
def _fonts(fonts_dir: Path | None) -> typst.Fonts:
    """The shop's own fonts and those of the folder; the system's would make the bytes depend on the machine."""
    folders = [_folder(package) for package in _FONT_PACKAGES]
    if fonts_dir is not None:
        if not fonts_dir.is_dir():
            raise FontsMissing(f"MLT_FONTS_DIR is no folder: {fonts_dir}")
        folders.append(fonts_dir)
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FontsMissing(f"install {package.replace('_', '-')} (`make install` does)")
    return Path(spec.origin).parent / "files"
