"""India's states and union territories with their GST codes, found by whatever a customer typed.

Codes: the state codes of the GST network, the first two digits of a GSTIN. 96 stands for every other country.
"""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from transactional.core.errors import InvalidInput
from transactional.documents.pincodes import state_code_of_pincode

ABROAD = "96"
"""The code of the place of supply for exports."""


@dataclass(frozen=True, slots=True)
class State:
    """A state or union territory of India."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    """ISO 3166-2 letters, former and local names, the name in its own script."""
    union_tax: bool = False
    """A union territory without a legislature: UTGST takes the place of SGST."""


STATES: Mapping[str, State] = {
    state.code: state
    for state in (
        State("01", "Jammu and Kashmir", ("JK", "J&K", "Kashmir", "Jammu", "जम्मू और कश्मीर")),
        State("02", "Himachal Pradesh", ("HP", "Himachal", "हिमाचल प्रदेश")),
        State("03", "Punjab", ("PB", "पंजाब", "ਪੰਜਾਬ")),
        State("04", "Chandigarh", ("CH", "Chandigarh UT", "चंडीगढ़"), union_tax=True),
        State("05", "Uttarakhand", ("UK", "UT", "Uttaranchal", "उत्तराखंड", "उत्तराखण्ड")),
        State("06", "Haryana", ("HR", "हरियाणा")),
        State("07", "Delhi", ("DL", "New Delhi", "NCT of Delhi", "Delhi NCR", "NCT", "दिल्ली", "नई दिल्ली")),
        State("08", "Rajasthan", ("RJ", "राजस्थान")),
        State("09", "Uttar Pradesh", ("UP", "उत्तर प्रदेश")),
        State("10", "Bihar", ("BR", "बिहार")),
        State("11", "Sikkim", ("SK", "सिक्किम")),
        State("12", "Arunachal Pradesh", ("AR", "Arunachal", "अरुणाचल प्रदेश")),
        State("13", "Nagaland", ("NL", "नागालैंड")),
        State("14", "Manipur", ("MN", "मणिपुर")),
        State("15", "Mizoram", ("MZ", "मिज़ोरम", "मिजोरम")),
        State("16", "Tripura", ("TR", "त्रिपुरा")),
        State("17", "Meghalaya", ("ML", "मेघालय")),
        State("18", "Assam", ("AS", "असम", "অসম")),
        State("19", "West Bengal", ("WB", "Bengal", "Paschim Banga", "पश्चिम बंगाल", "পশ্চিমবঙ্গ")),
        State("20", "Jharkhand", ("JH", "झारखंड", "झारखण्ड")),
        State("21", "Odisha", ("OD", "OR", "Orissa", "ओडिशा", "ଓଡ଼ିଶା")),
        State("22", "Chhattisgarh", ("CG", "CT", "Chattisgarh", "छत्तीसगढ़")),
        State("23", "Madhya Pradesh", ("MP", "मध्य प्रदेश")),
        State("24", "Gujarat", ("GJ", "गुजरात", "ગુજરાત")),
        State(
            "26",
            "Dadra and Nagar Haveli and Daman and Diu",
            ("DH", "DD", "DN", "DNHDD", "Dadra and Nagar Haveli", "Daman and Diu", "Daman", "Diu", "Silvassa"),
            union_tax=True,
        ),
        State("27", "Maharashtra", ("MH", "महाराष्ट्र")),
        State("29", "Karnataka", ("KA", "कर्नाटक", "ಕರ್ನಾಟಕ")),
        State("30", "Goa", ("GA", "गोवा")),
        State("31", "Lakshadweep", ("LD", "लक्षद्वीप"), union_tax=True),
        State("32", "Kerala", ("KL", "केरल", "കേരളം")),
        State("33", "Tamil Nadu", ("TN", "तमिलनाडु", "தமிழ்நாடு")),
        State("34", "Puducherry", ("PY", "Pondicherry", "पुदुच्चेरी")),
        State("35", "Andaman and Nicobar Islands", ("AN", "Andaman", "Andaman and Nicobar"), union_tax=True),
        State("36", "Telangana", ("TS", "TG", "तेलंगाना", "తెలంగాణ")),
        State("37", "Andhra Pradesh", ("AP", "AD", "Andhra", "आंध्र प्रदेश", "ఆంధ్ర ప్రదేశ్")),
        State("38", "Ladakh", ("LA", "लद्दाख"), union_tax=True),
    )
}

_DOMESTIC = {"", "in", "ind", "india", "bharat", "भारत"}
_SHORTEST_GUESS = 6
"""Shorter names are too alike for guessing at a slip of the pen."""
_LIKENESS = 0.86


class PlaceOfSupplyUnknown(InvalidInput):
    """Neither the state nor the pincode of an Indian address says which state it is in."""

    code = "place-of-supply-unknown"
    title = "The place of supply is unknown"


def _letters(text: str) -> str:
    """Letters and digits alone, in lower case and without accents; other scripts keep their vowel signs."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    latin_accents = re.sub(r"[\u0300-\u036f]", "", plain)
    return "".join(c for c in latin_accents if unicodedata.category(c)[0] in "LMN")


_NAMES: Mapping[str, str] = {
    key: state.code for state in STATES.values() for key in map(_letters, (state.code, state.name, *state.aliases))
}


def find_state(text: str) -> State | None:
    """The state that a name, abbreviation, code or slightly misspelt name means; None where it cannot be told."""
    key = _letters(text)
    code = _NAMES.get(key)
    if code is None and len(key) >= _SHORTEST_GUESS:
        close = difflib.get_close_matches(key, _NAMES, n=2, cutoff=_LIKENESS)
        codes = {_NAMES[name] for name in close}
        code = codes.pop() if len(codes) == 1 else None
    return None if code is None else STATES[code]


def is_domestic(country: str | None) -> bool:
    """Whether an address lies in India; no country at all means the shop's own."""
    return _letters(country or "") in {_letters(name) for name in _DOMESTIC}


def state_of_address(*, state: str | None, postal_code: str | None, country: str | None) -> State | None:
    """The state of an address: by its name, failing that by the pincode; None abroad or where neither tells."""
    if not is_domestic(country):
        return None
    code = state_code_of_pincode(postal_code or "")
    return find_state(state or "") or (None if code is None else STATES[code])


def place_of_supply(*, state: str | None, postal_code: str | None, country: str | None) -> str:
    """The GST state code of an address: by its state; failing that by its pincode; 96 for another country.

    Raises PlaceOfSupplyUnknown for an Indian address of which neither tells.
    """
    if not is_domestic(country):
        return ABROAD
    found = state_of_address(state=state, postal_code=postal_code, country=country)
    if found is None:
        raise PlaceOfSupplyUnknown(
            f"neither the state {state or ''!r} nor the pincode {postal_code or ''!r} belongs to a state of India",
            field="state",
        )
    return found.code


def state_name(code: str) -> str:
    """The name of a place of supply."""
    return STATES[code].name if code in STATES else "Other country"
