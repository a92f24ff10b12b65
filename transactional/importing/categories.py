"""A category for products of which only a name is known: the first keyword rule that matches decides."""

import re

OTHER = ("other-gifts", "Other gifts")

_RULES: tuple[tuple[str, str, str], ...] = (
    ("gift-vouchers", "Gift vouchers", r"VOUCHERS?"),
    ("christmas", "Christmas", r"CHRISTMAS|XMAS|ADVENT|SANTA|REINDEER|SNOWMAN|SNOWFLAKES?|BAUBLES?|NATIVITY|STOCKING"),
    (
        "candles-and-lights",
        "Candles and lights",
        r"CANDLES?|T-LIGHTS?|TEALIGHT|LIGHTS?|LANTERNS?|LAMPS?|NIGHT LIGHT|INCENSE",
    ),
    ("bags-and-purses", "Bags and purses", r"BAGS?|SHOPPERS?|PURSES?|WALLETS?|SUITCASES?|SATCHEL|TOTE|BACKPACK"),
    (
        "jewellery",
        "Jewellery and accessories",
        r"NECKLACES?|BRACELETS?|EARRINGS?|RINGS?|BROOCH|BANGLES?|HAIR|SCARF|HANDBAG|CHARM",
    ),
    (
        "stationery",
        "Stationery and wrapping",
        r"CARDS?|NOTEBOOKS?|PENCILS?|PENS?|STICKERS?|WRAP|RIBBONS?|PAPER|JOTTER|ENVELOPES?|TISSUES?",
    ),
    ("party", "Party", r"PARTY|BUNTING|BALLOONS?|CONES?|PICNIC|PAPER CHAIN|INVITES?|CONFETTI|DOILEY|DOILIES"),
    (
        "kitchen-and-table",
        "Kitchen and table",
        r"MUGS?|CUPS?|SAUCERS?|TEAPOT|TEA|COFFEE|PLATES?|BOWLS?|CAKE|CAKESTAND|BAKING|JARS?|TINS?|SPOONS?|CUTLERY|NAPKINS?|COASTERS?|PLACEMATS?|JUG|LUNCH|BOTTLES?|GLASS|APRON|KITCHEN|OVEN|SALT|TRAYS?|EGG",
    ),
    (
        "toys-and-children",
        "Toys and children",
        r"TOYS?|GAMES?|DOLLS?|BABY|CHILDS?|CHILDREN'?S?|KIDS?|GIRLS?|BOYS?|PUZZLES?|SKITTLES|DOMINO|PLAYHOUSE|SPACEBOY|DOLLY|BLOCKS?",
    ),
    ("garden", "Garden", r"GARDEN|WATERING|PLANT|PLANTERS?|FLOWER|BIRD|BIRDHOUSE|PARASOL|SEEDS?"),
    (
        "home-decoration",
        "Home decoration",
        r"FRAMES?|CLOCKS?|CUSHIONS?|HOOKS?|SIGNS?|MIRRORS?|HEARTS?|DOORMATS?|CABINETS?|DRAWERS?|BOX|BOXES|BASKETS?|WICKER|VASES?|THROW|RUGS?|HANGERS?|DECORATIONS?|HOLDERS?|KNOB|MAGNETS?|WALL|CHAIR|TABLE|STAND|SHELF",
    ),
)
_COMPILED = tuple((slug, name, re.compile(rf"(?<![A-Z])(?:{words})(?![A-Z])")) for slug, name, words in _RULES)


def category_of(product_name: str) -> tuple[str, str]:
    """Slug and name of the category of a product, by whole words of its name."""
    upper = product_name.upper()
    return next(((slug, name) for slug, name, words in _COMPILED if words.search(upper)), OTHER)
