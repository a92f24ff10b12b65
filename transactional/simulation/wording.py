"""What shoppers write, in English, Hindi and Hinglish: reviews, tickets, gift messages, searches."""

from random import Random

from transactional.simulation.gifts import Gift

_GOOD = {
    "english": (
        "My {relation} loved it. Beautifully packed and exactly as shown.",
        "Lovely finish, looks more expensive than it is. Will order again.",
        "Reached two days early and the {thing} is even prettier in person.",
        "Perfect gift, the quality surprised me. Thank you!",
        "Third time I am ordering here, never disappointed.",
    ),
    "hindi": (
        "बहुत सुंदर है, घर में सबको पसंद आया।",
        "पैकिंग शानदार थी और सामान बिल्कुल वैसा ही निकला जैसा दिखाया गया था।",
        "तोहफ़ा देखकर वो बहुत खुश हुए। धन्यवाद!",
        "क्वालिटी बढ़िया है, दाम भी ठीक है।",
    ),
    "hinglish": (
        "Ekdum mast hai yaar, {relation} ko bahut pasand aaya!",
        "Quality bahut achhi hai, packing bhi solid thi.",
        "Time pe aa gaya aur dikhne me bhi bahut sundar hai.",
        "Paisa vasool, agli baar bhi yahin se lunga.",
    ),
}
_MIXED = {
    "english": (
        "Nice, but smaller than I expected from the pictures.",
        "The {thing} is good, the delivery took longer than promised.",
        "Decent for the price. The print could be sharper.",
        "It is okay. The box was a little dented, the gift itself fine.",
    ),
    "hindi": (
        "ठीक है, पर फोटो में जितना बड़ा लगा था उतना नहीं है।",
        "सामान अच्छा है लेकिन डिलीवरी देर से हुई।",
    ),
    "hinglish": (
        "Theek hai, par photo me zyada bada lag raha tha.",
        "Product achha hai but delivery late ho gayi thi.",
    ),
}
_BAD = {
    "english": (
        "Arrived with a scratch and nobody answered for two days. Disappointed.",
        "The colour is nothing like the picture. I had to send it back.",
        "Name was misspelt on the {thing}. Not what I paid for.",
        "Poor quality, it broke within a week.",
    ),
    "hindi": (
        "टूटा हुआ मिला, बहुत निराश हूँ।",
        "क्वालिटी बहुत खराब है, पैसे बर्बाद हो गए।",
    ),
    "hinglish": (
        "Bilkul bakwas quality, ek hafte me toot gaya.",
        "Naam galat print kiya, mood kharab ho gaya. Paise wapas chahiye.",
    ),
}
_TITLES = {5: "Wonderful", 4: "Very nice", 3: "Okay", 2: "Not quite", 1: "Disappointed"}
_RELATIONS = {
    "english": ("mother", "sister", "husband", "wife", "friend", "brother"),
    "hindi": ("माँ", "बहन", "दोस्त"),
    "hinglish": ("mummy", "didi", "bhai", "dost", "wife"),
}
_MESSAGES = {
    "birthday": ("Happy birthday! Stay wonderful.", "Janamdin mubarak ho!", "जन्मदिन की हार्दिक शुभकामनाएँ"),
    "anniversary": ("To many more years together.", "Happy anniversary, my love."),
    "diwali": ("Shubh Deepavali to all of you!", "दीपावली की शुभकामनाएँ", "Happy Diwali from our home to yours."),
    "rakhi": ("For the best brother in the world.", "Happy Raksha Bandhan, bhai!", "राखी की शुभकामनाएँ"),
    "valentine": ("Be mine, again.", "You make my heart bloom."),
    "christmas": ("Merry Christmas and a happy new year!",),
    "mothers-day": ("Thank you for everything, Maa.",),
}
_TICKETS = {
    "order_issue": (
        ("Where is my parcel?", "The tracking has not moved for three days. Can you check, please?"),
        ("Item arrived damaged", "One corner of the box was crushed and the gift has a crack."),
        ("Order kab aayega?", "Bhaiya parcel abhi tak nahi aaya, birthday parso hai."),
    ),
    "payment_issue": (
        ("Money debited twice?", "My bank shows two debits for one order. Please look into it."),
        ("Payment failed", "UPI failed but the amount was blocked for some hours."),
    ),
    "customization": (
        ("Change the name", "Please engrave 'Meera' instead of 'Mira' on my order."),
        ("Photo quality", "Is the photo that I uploaded good enough for print?"),
    ),
    "general": (
        ("Bulk order for Diwali", "We need 60 boxes for our office. Do you give a discount?"),
        ("Gift wrap", "क्या आप गिफ्ट रैप के साथ हाथ से लिखा कार्ड भेजते हैं?"),
    ),
}
_ANSWERS = (
    "Thank you for writing. We have checked it and are on it; you will hear from us today.",
    "Sorry for the trouble! We have sorted this out for you.",
    "Namaste, we have passed this on to our workshop and will keep you posted.",
)
_SEARCHES: dict[str | None, tuple[str, ...]] = {
    "birthday": ("birthday gift", "birthday gift for {relation}", "janamdin ka tohfa"),
    "anniversary": ("anniversary gift for parents", "couple gift", "shaadi ki salgirah gift"),
    "diwali": ("diwali hamper", "diya", "दिवाली गिफ्ट", "diwali gift under 1000"),
    "rakhi": ("rakhi for brother", "silver rakhi", "राखी", "rakhi with sweets"),
    "valentine": ("gift for girlfriend", "valentine gift", "rose"),
    "christmas": ("secret santa under 500", "christmas tree", "plum cake"),
    "mothers-day": ("gift for maa", "saree pouch", "mothers day gift"),
    None: ("mug with photo", "gift under 500", "unique gift", "engraved pen", "plant", "ghar ke liye gift"),
}


def review(rng: Random, gift: Gift, score: int, language: str) -> tuple[str, str]:
    """Title and text of a review; those who write Hindi write no title."""
    bank = _GOOD if score >= 4 else _MIXED if score == 3 else _BAD
    thing = gift.name.split(",")[0].lower()
    text = rng.choice(bank[language]).format(relation=rng.choice(_RELATIONS[language]), thing=thing)
    return ("" if language == "hindi" else _TITLES[score]), text


def gift_message(rng: Random, occasion: str | None) -> str | None:
    """A line for the card, if one is written."""
    lines = _MESSAGES.get(occasion or "")
    return rng.choice(lines) if lines and rng.random() < 0.6 else None


def ticket(rng: Random, category: str) -> tuple[str, str]:
    """Subject and text."""
    return rng.choice(_TICKETS[category])


def answer(rng: Random) -> str:
    """What staff reply."""
    return rng.choice(_ANSWERS)


def search(rng: Random, occasion: str | None) -> str:
    """What is typed into the search box."""
    lines = _SEARCHES.get(occasion, _SEARCHES[None])
    return rng.choice(lines).format(relation=rng.choice(_RELATIONS["english"]))
