"""The paper: literal texts, every script, the same bytes every time, and refusals that say what to install."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from transactional.documents import rendering
from transactional.documents.models import (
    DocumentKind,
    DocumentLineKind,
    SupplyKind,
    TaxDocument,
    TaxDocumentLine,
)
from transactional.documents.paper import percent, printed

MALICIOUS = '#panic[] *bold* $x$ `raw` <b> @ref \\ "quoted" // comment'


def line(position: int = 1, **changes: Any) -> TaxDocumentLine:
    columns: dict[str, Any] = {
        "position": position,
        "kind": DocumentLineKind.GOODS,
        "order_line_id": position,
        "first_unit": 0,
        "quantity": 2,
        "hsn_code": "6912",
        "sku": f"DIYA-{position}",
        "description": "Hand-painted diya set",
        "unit_price_minor": 60_000,
        "discount_minor": 2_000,
        "rate_bp": 1_800,
        "taxable_minor": 100_000,
        "cgst_minor": 9_000,
        "sgst_minor": 9_000,
        "igst_minor": 0,
        "total_minor": 118_000,
    }
    return TaxDocumentLine(**{**columns, **changes})


def document(lines: list[TaxDocumentLine], **changes: Any) -> TaxDocument:
    sums = {
        name: sum(getattr(row, name) for row in lines)
        for name in ("taxable_minor", "cgst_minor", "sgst_minor", "igst_minor", "total_minor")
    }
    columns: dict[str, Any] = {
        "kind": DocumentKind.INVOICE,
        "number": "INV-2627-0000123",
        "issued_at": datetime(2026, 11, 22, 20, 0, tzinfo=UTC),
        "seller": {
            "name": "My Little Things Private Limited",
            "trade_name": "My Little Things",
            "lines": ["12 Craft Lane"],
            "state": "Karnataka",
            "state_code": "29",
            "country": "IN",
            "gstin": "29AAPFU0939F1ZR",
            "email": None,
            "phone": None,
            "footer": "Thank you.",
        },
        "buyer": {
            "name": "Asha Rao",
            "gstin": None,
            "recipient": "Aarav Śarmā",
            "lines": ["14 Temple Street"],
            "city": "Bengaluru",
            "postal_code": "560003",
            "state": "Karnataka",
            "state_code": "29",
            "country": "IN",
        },
        "details": {"order_number": "MLT-2026-000123", "placed_at": "2026-11-20T10:00:00+00:00"},
        "place_of_supply": "29",
        "supply_kind": SupplyKind.INTRA,
        "currency": "INR",
        "notes": [],
        **sums,
    }
    return TaxDocument(**{**columns, **changes})


def text_of(pdf: bytes) -> str:
    """All pages' text in one line, without blanks: a PDF breaks lines where the page does."""
    return "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


def squeezed(text: str) -> str:
    return "".join(text.split())


def render(lines: list[TaxDocumentLine] | None = None, **changes: Any) -> bytes:
    rows = lines or [line()]
    return rendering.pdf(document(rows, **changes), rows)


class TestContent:
    def test_what_the_law_wants_is_there(self) -> None:
        text = text_of(render())
        for wanted in (
            "Tax invoice",
            "INV-2627-0000123",
            "23 November 2026",  # 01:30 in India
            "My Little Things Private Limited",
            "29AAPFU0939F1ZR",
            "Asha Rao",
            "Aarav Śarmā",
            "Karnataka (29)",
            "Hand-painted diya set",
            "6912",
            "1,000.00",
            "18%",
            "CGST",
            "SGST",
            "9%",
            "₹ 1,180.00",
            "Rupees one thousand one hundred eighty only",
            "Reverse charge",
            "Page 1 of 1",
        ):
            assert squeezed(wanted) in text, wanted

    @pytest.mark.parametrize(("mode", "shown"), [("online", "Online"), ("on_delivery", "On delivery")])
    def test_how_it_is_paid_is_told(self, mode: str, shown: str) -> None:
        details = document([line()]).details | {"payment_mode": mode}
        assert squeezed(f"Payment {shown}") in text_of(render(details=details))

    def test_what_says_nothing_to_the_reader_is_left_out(self) -> None:
        text = text_of(render(details=document([line()]).details | {"payment_mode": "external"}))
        assert "Payment" not in text
        assert squeezed("Karnataka, India") in text

    def test_forty_lines_take_two_pages(self) -> None:
        rows = [line(i, description="Silver pendant with a name in Devanagari") for i in range(1, 41)]
        assert len(PdfReader(io.BytesIO(render(rows))).pages) == 2

    def test_devanagari_and_other_scripts_are_set_in_real_letters(self) -> None:
        names = {"name": "अमन", "recipient": "नमन कमल"}
        pdf = render([line(description="தமிழ் పరి اردو हमारा")], buyer=document([line()]).buyer | names)
        text = text_of(pdf)
        assert "अमन" in text
        assert squeezed("नमन कमल") in text
        assert "₹" in text
        fonts = {font for page in PdfReader(io.BytesIO(pdf)).pages for font in _fonts(page)}
        assert any("NotoSansTamil" in font for font in fonts)
        assert any("NotoSansTelugu" in font for font in fonts)
        assert any("NotoSansArabic" in font for font in fonts)

    def test_markup_is_printed_as_it_stands(self) -> None:
        pdf = render(
            [line(description=MALICIOUS, sku='#read("/etc/passwd")')],
            buyer=document([line()]).buyer | {"name": "#panic[]", "recipient": ']#eval("1/0")['},
        )
        text = text_of(pdf)
        for literal in (MALICIOUS, "#panic[]", ']#eval("1/0")[', '#read("/etc/passwd")'):
            assert squeezed(literal) in text

    def test_forced_directions_and_endless_words_harm_nothing_else(self) -> None:
        rows = [line(description=f"\u202egnihtyna\u202c {'W' * 280}")]
        sheet = printed(document(rows), rows)
        assert sheet["lines"][0]["description"].startswith(" gnihtyna  ")
        text = text_of(render(rows)).replace("\u200b", "")
        assert "W" * 200 in text
        assert squeezed("₹ 1,180.00") in text

    @pytest.mark.slow
    def test_a_long_order_goes_over_several_pages(self) -> None:
        rows = [line(i, description=f"Gift {i}") for i in range(1, 121)]
        reader = PdfReader(io.BytesIO(render(rows)))
        pages = [squeezed(page.extract_text()) for page in reader.pages]
        assert len(pages) > 3
        for number, page in enumerate(pages, start=1):
            assert squeezed(f"Page {number} of {len(pages)}") in page
        assert all("INV-2627-0000123" in page for page in pages)
        assert all("Description" in page for page in pages[:3])
        assert sum(page.count("Gift") for page in pages) == 120

    def test_across_a_border_the_integrated_tax_stands_alone(self) -> None:
        rows = [line(cgst_minor=0, sgst_minor=0, igst_minor=18_000)]
        text = text_of(render(rows, supply_kind=SupplyKind.INTER, place_of_supply="27"))
        assert "IGSTrate" in text
        assert "CGSTrate" not in text
        assert "Maharashtra(27)" in text

    def test_a_union_territory_has_a_tax_of_its_own(self) -> None:
        text = text_of(render(place_of_supply="04"))
        assert "UTGST" in text
        assert "Chandigarh(04)" in text

    def test_a_credit_note_names_its_invoice_and_reason(self) -> None:
        details = {
            "order_number": "MLT-2026-000123",
            "placed_at": "2026-11-20T10:00:00+00:00",
            "invoice_number": "INV-2627-0000007",
            "invoice_issued_at": "2026-11-21T10:00:00+00:00",
        }
        text = text_of(
            render(
                [line(quantity=0, unit_price_minor=60_000)],
                kind=DocumentKind.CREDIT_NOTE,
                number="CRN-2627-0000001",
                reason="Goods returned",
                details=details,
            )
        )
        for wanted in ("Credit note", "INV-2627-0000007", "21 November 2026", "Goods returned", "price lowered"):
            assert squeezed(wanted) in text

    def test_without_a_gstin_it_is_no_tax_invoice(self) -> None:
        text = text_of(render(seller=document([line()]).seller | {"gstin": None}))
        assert "Taxinvoice" not in text
        assert squeezed("The seller has no GSTIN: this is not a tax invoice") in text

    @pytest.mark.parametrize(("rate", "text"), [(0, "0%"), (25, "0.25%"), (500, "5%"), (10_000, "100%")])
    def test_rates(self, rate: int, text: str) -> None:
        assert percent(rate) == text

    def test_the_summary_is_by_code_and_rate(self) -> None:
        rows = [line(1), line(2), line(3, hsn_code="4911"), line(4, rate_bp=500), line(5, hsn_code=None)]
        groups = [(row["hsn"], row["rate"], row["taxable"]) for row in printed(document(rows), rows)["summary"]]
        assert groups == [
            ("6912", "18%", "2,000.00"),
            ("4911", "18%", "1,000.00"),
            ("6912", "5%", "1,000.00"),
            ("–", "18%", "1,000.00"),
        ]


class TestBytes:
    def test_the_same_document_gives_the_same_bytes(self) -> None:
        assert render() == render()

    def test_another_document_gives_others(self) -> None:
        assert render() != render(number="INV-2627-0000124")

    def test_every_letter_is_in_the_file(self) -> None:
        reader = PdfReader(io.BytesIO(render()))
        assert reader.metadata is not None
        assert reader.metadata.title == "Tax invoice INV-2627-0000123"
        for page in reader.pages:
            assert all("+" in font for font in _fonts(page)), "fonts are embedded as subsets"


class TestFonts:
    def test_a_folder_that_is_none_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(rendering.FontsMissing, match="MLT_FONTS_DIR"):
            rendering.pdf(document([line()]), [line()], fonts_dir=tmp_path / "none")

    def test_a_missing_package_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(rendering, "_FONT_PACKAGES", ("fontpkg_not_there",))
        with pytest.raises(rendering.FontsMissing, match="install fontpkg-not-there"):
            rendering.pdf(document([line()]), [line()], fonts_dir=tmp_path)

    def test_further_fonts_may_be_given(self, tmp_path: Path) -> None:
        assert rendering.pdf(document([line()]), [line()], fonts_dir=tmp_path) == render()


def _fonts(page: Any) -> set[str]:
    return {str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()}
