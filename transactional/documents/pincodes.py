"""Which state a postal index number (PIN code) lies in, by its first digits.

From India Post's circles and sorting districts. The longest prefix that is listed counts: a circle of two digits, and
within it the districts of three or more digits that belong to another state. Where a sorting district crosses a
border, the state with most of its post offices stands for it; an address with a state never comes here.
"""

from collections.abc import Iterator, Mapping

_BY_STATE: Mapping[str, str] = {
    "07": "11",
    "06": "12 13",
    "03": "14 15 16",
    "04": "1600 1601",
    "02": "17",
    "01": "18 19",
    "38": "194",
    "09": "20 21 22 23 24 25 26 27 28",
    "05": "2447 2461 2464 2465 2466 2474 2476 248 249 2623 2624 2625 263",
    "08": "30 31 32 33 34",
    "24": "36 37 38 39",
    "26": "362520 362540 362570 396191 396193 396210 396215 396220 396230 396235 396240",
    "27": "40 41 42 43 44",
    "30": "403",
    "23": "45 46 47 48",
    "22": "49",
    "36": "50",
    "37": "51 52 53",
    "29": "56 57 58 59",
    "33": "60 61 62 63 64",
    "34": "605001-605014 605101-605102 605104-605105 605107 605110 605501-605502 609601-609607 533464 673310",
    "32": "67 68 69",
    "31": "682551-682559",
    "19": "70 71 72 73 74",
    "11": "737",
    "35": "744",
    "21": "75 76 77",
    "18": "78",
    "12": "790 791 792",
    "17": "793 794",
    "14": "795",
    "15": "796",
    "13": "797 798",
    "16": "799",
    "10": "80 81 82 84 85",
    "20": "814 815 816 822 825 826 827 828 829 83",
}
"""GST state code: the prefixes of its PIN codes; `a-b` is every number from a to b."""


def _prefixes() -> Iterator[tuple[str, str]]:
    for code, listed in _BY_STATE.items():
        for entry in listed.split():
            first, _, last = entry.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield str(number), code


_PREFIXES: Mapping[str, str] = dict(_prefixes())
_LENGTH = 6


def state_code_of_pincode(postal_code: str) -> str | None:
    """The GST code of the state that a PIN code lies in; None for anything that is not one, and for army post."""
    digits = "".join(postal_code.split())
    if len(digits) != _LENGTH or not (digits.isascii() and digits.isdigit()):
        return None
    for length in range(_LENGTH, 1, -1):
        if (code := _PREFIXES.get(digits[:length])) is not None:
            return code
    return None
