"""What shoppers say: reviews and requests for help, in English, Hindi and the mixture that people type."""

import random

_GOOD = {
    "en": (
        "Lovely {gift}, exactly as in the picture. My {who} was delighted.",
        "Beautiful finish and it came a day early. Will buy again.",
        "The {gift} was packed with so much care. Worth every rupee.",
        "Quality is better than I expected, and the print is sharp.",
    ),
    "hi": (
        "बहुत सुंदर {gift}, बिल्कुल फोटो जैसा। सबको पसंद आया।",
        "पैकिंग बहुत अच्छी थी और समय पर मिल गया। धन्यवाद!",
        "क्वालिटी शानदार है, दोबारा ज़रूर मंगाऊँगी।",
    ),
    "hinglish": (
        "Bahut hi pyara {gift} hai, {who} ko bahut pasand aaya!",
        "Ekdum mast quality, delivery bhi time pe ho gayi.",
        "Paisa vasool! Packing bhi superb thi.",
    ),
}
_FAIR = {
    "en": (
        "The {gift} is fine, though smaller than I thought.",
        "Okay for the price. Delivery took longer than promised.",
        "Good product, average packaging.",
    ),
    "hi": ("ठीक-ठाक है, दाम के हिसाब से।", "{gift} अच्छा है पर थोड़ा छोटा निकला।"),
    "hinglish": ("Theek hai, price ke hisaab se okay.", "{gift} accha hai but thoda chhota nikla."),
}
_BAD = {
    "en": (
        "The {gift} arrived broken. Very disappointed.",
        "Name was misspelt, and it missed the birthday by two days.",
        "Colour is nothing like the photo. Would not buy again.",
    ),
    "hi": ("{gift} टूटा हुआ आया, बहुत निराशा हुई।", "नाम गलत छपा था और देर से पहुँचा।"),
    "hinglish": (
        "{gift} toota hua aaya, bahut bekar experience.",
        "Naam galat print kiya aur late deliver hua, waste of money.",
    ),
}
_WHO = ("mother", "father", "sister", "brother", "friend", "wife", "husband", "daughter")
_TITLES = {5: "Loved it", 4: "Very nice", 3: "Okay", 2: "Not great", 1: "Disappointed"}

_TROUBLE = {
    "order_issue": ("Where is my order?", "The tracking has not moved for three days and the party is on Saturday."),
    "payment_issue": ("Charged but no confirmation", "My bank shows the amount as paid. Please check."),
    "customization": ("Wrong name on the gift", "I typed 'Aarav' but the print says 'Arav'. Can it be redone?"),
    "general": ("Do you deliver on Sundays?", "I would like to surprise my parents on Sunday morning."),
}
ANSWERS = {
    "order_issue": "We have called the courier; it is out for delivery now. Sorry for the wait.",
    "payment_issue": "The payment has reached us and your order is confirmed.",
    "customization": "Sorry! A corrected piece is being made and ships tomorrow at no charge.",
    "general": "Yes, in your city we deliver on Sundays until two o'clock.",
}


def review(rng: random.Random, language: str, gift: str, score: int) -> tuple[str, str]:
    """A title and a text that fit the stars."""
    texts = _GOOD if score >= 4 else _FAIR if score == 3 else _BAD
    return _TITLES[score], rng.choice(texts[language]).format(gift=gift.lower(), who=rng.choice(_WHO))


def trouble(rng: random.Random) -> tuple[str, str, str]:
    """A category, a subject and a text of a request for help."""
    category = rng.choices(list(_TROUBLE), (0.45, 0.15, 0.2, 0.2))[0]
    subject, body = _TROUBLE[category]
    return category, subject, body
