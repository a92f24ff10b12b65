"""Amounts in words, as Indian documents want them: lakh and crore, rupees and paise."""

from transactional.core.money import exponent

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALE = ((10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"), (100, "hundred"))

_UNITS = {
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "EUR": ("euro", "euros", "cent", "cents"),
}


def number_in_words(number: int) -> str:
    """A whole number in the Indian system: 1,23,45,678 is one crore twenty-three lakh forty-five thousand …

    From a hundred crore on the crores are counted in the same way: one lakh crore. Raises ValueError below zero.
    """
    if number < 0:
        raise ValueError(f"{number} is negative")
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    size, name = next((size, name) for size, name in _SCALE if number >= size)
    count, rest = divmod(number, size)
    head = f"{number_in_words(count)} {name}"
    return f"{head} {number_in_words(rest)}" if rest else head


def amount_in_words(minor: int, currency: str) -> str:
    """`Rupees one thousand two hundred thirty-four and paise fifty only`; other currencies by their own names."""
    digits = exponent(currency)
    major, rest = divmod(minor, 10**digits)
    singular, plural, part, parts = _UNITS.get(currency, (currency, currency, "", ""))
    words = f"{singular if major == 1 else plural} {number_in_words(major)}"
    if rest and part:
        words += f" and {part if rest == 1 else parts} {number_in_words(rest)}"
    elif rest:
        words += f" and {rest}/{10**digits}"
    return f"{words[0].upper()}{words[1:]} only"
