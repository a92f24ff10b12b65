"""What the simulated shop sells: some 120 gifts that an Indian gift shop could have, with prices in rupees."""

from dataclasses import dataclass

STYLES = ("traditional", "romantic", "playful", "minimal", "indulgent", "practical")
"""What people like about a gift; a shopper's taste is a weight for each."""

OCCASIONS = {
    "birthday": "Birthday",
    "anniversary": "Anniversary",
    "diwali": "Diwali",
    "rakhi": "Raksha Bandhan",
    "valentine": "Valentine's Day",
    "christmas": "Christmas",
    "mothers-day": "Mother's Day",
    "housewarming": "Housewarming",
}


@dataclass(frozen=True, slots=True)
class Gift:
    """A product of the catalogue. `price` in rupees; `styles` and `occasions` say whom and when it suits."""

    sku: str
    name: str
    category: str
    price: int
    occasions: tuple[str, ...]
    styles: tuple[str, ...]
    customisable: bool

    @property
    def tax_rate_bp(self) -> int:
        """GST contained in the price: 5 % on food, 3 % on silver and gold, else 18 %."""
        return {"Sweets and hampers": 500, "Jewellery": 300}.get(self.category, 1_800)

    @property
    def hsn_code(self) -> str:
        """The tariff heading that an invoice names; one for each category."""
        return _HSN[self.category]

    @property
    def weight_grams(self) -> int:
        """A plausible parcel weight: dearer gifts are heavier, jewellery is light."""
        return 120 if self.category == "Jewellery" else min(3_000, 180 + self.price // 4)

    @property
    def needs_approval(self) -> bool:
        """Dear photo gifts are made only after the customer has seen the design."""
        return self.customisable and self.category == "Photo gifts" and self.price >= _WORTH_A_DESIGN

    @property
    def made_to_order(self) -> bool:
        """Silversmith and saddler work on demand: few lie on the shelf, and what is promised beyond it follows."""
        return self.customisable and self.category in ("Jewellery", "Bags and wallets")


_WORTH_A_DESIGN = 900

_HSN = {
    "Photo gifts": "4911",
    "Mugs and drinkware": "6912",
    "Jewellery": "7113",
    "Candles and fragrance": "3406",
    "Sweets and hampers": "1704",
    "Flowers and plants": "0602",
    "Home decoration": "8306",
    "Stationery": "4820",
    "Toys and children": "9503",
    "Rakhi": "6307",
    "Diwali": "6913",
    "Wellness": "3307",
    "Bags and wallets": "4202",
    "Gadgets": "8518",
    "Christmas": "9505",
}

_TABLE = """
# Photo gifts
PHO-MUG | Photo Mug "Our Story"                |  349 | birthday anniversary valentine | romantic playful      | custom
PHO-MAG | Magic Colour-changing Photo Mug      |  449 | birthday valentine             | playful romantic      | custom
PHO-FRM | Engraved Wooden Photo Frame          |  699 | anniversary birthday           | romantic traditional  | custom
PHO-CUS | Photo Cushion, Sequin Reveal         |  599 | birthday valentine             | playful               | custom
PHO-LMP | 3D Moon Lamp with Your Photo         | 1299 | anniversary valentine birthday | romantic              | custom
PHO-CAL | Desk Calendar of Memories            |  499 | birthday christmas             | practical playful     | custom
PHO-CLK | Wall Clock with Four Photos          |  999 | anniversary housewarming       | romantic practical    | custom
PHO-CRY | Crystal Cube with 3D Portrait        | 2499 | anniversary birthday           | romantic indulgent    | custom
PHO-MGN | Set of Six Photo Fridge Magnets      |  299 | birthday                       | playful practical     | custom
PHO-BLK | Photo Blanket, Fleece                | 1799 | birthday mothers-day christmas | romantic practical    | custom
# Mugs and drinkware
MUG-KUL | Kulhad Chai Cups, Set of Six         |  399 | diwali housewarming            | traditional practical | -
MUG-COP | Hammered Copper Bottle, 1 l          |  899 | diwali housewarming birthday   | traditional practical | custom
MUG-BRS | Brass Tumbler Pair in Box            | 1199 | diwali anniversary             | traditional           | custom
MUG-STO | Stoneware Coffee Mug, Speckled       |  449 | birthday housewarming          | minimal               | -
MUG-COU | King and Queen Couple Mugs           |  549 | valentine anniversary          | romantic playful      | -
MUG-TEA | Glass Teapot with Infuser            |  999 | mothers-day housewarming       | minimal practical     | -
MUG-TRV | Insulated Travel Tumbler with Name   |  799 | birthday                       | practical minimal     | custom
MUG-WHI | Whisky Glass Pair, Engraved          | 1499 | anniversary birthday           | indulgent             | custom
# Jewellery
JWL-NAM | Name Pendant in Sterling Silver      | 1899 | birthday valentine anniversary | romantic minimal      | custom
JWL-JHU | Oxidised Silver Jhumkas              |  799 | diwali rakhi birthday          | traditional           | -
JWL-KUN | Kundan Necklace Set                  | 2999 | diwali anniversary             | traditional indulgent | -
JWL-BAN | Lac Bangles from Jaipur, Set of Four |  599 | diwali mothers-day             | traditional           | -
JWL-BRA | Birthstone Bracelet                  | 1299 | birthday valentine             | romantic              | custom
JWL-STU | Pearl Studs                          |  999 | mothers-day birthday           | minimal romantic      | -
JWL-ANK | Silver Anklets with Bells            | 1599 | rakhi diwali                   | traditional           | -
JWL-CUF | Cuff Links with Initials             | 1399 | anniversary birthday           | minimal indulgent     | custom
JWL-COI | Silver Coin, Lakshmi and Ganesh, 20 g| 2199 | diwali                         | traditional           | -
# Candles and fragrance
CAN-SOY | Soy Candle, Mogra                    |  499 | birthday housewarming          | minimal romantic      | -
CAN-SAN | Sandalwood Candle in Brass Bowl      |  799 | diwali housewarming            | traditional           | -
CAN-DIY | Floating Diya Candles, Set of Twelve |  349 | diwali                         | traditional playful   | -
CAN-URL | Urli with Tea Lights                 | 1499 | diwali housewarming            | traditional indulgent | -
CAN-DIF | Reed Diffuser, Vetiver               |  899 | housewarming mothers-day       | minimal               | -
CAN-LAN | Moroccan Lantern                     | 1199 | diwali christmas               | romantic              | -
CAN-ROS | Rose Candle Trio                     |  699 | valentine anniversary          | romantic indulgent    | -
CAN-XMS | Cinnamon and Orange Candle           |  549 | christmas                      | indulgent             | -
CAN-INC | Hand-rolled Incense Collection       |  299 | diwali                         | traditional practical | -
# Sweets and hampers
SWT-KAJ | Kaju Katli, 500 g                    |  649 | diwali rakhi                   | traditional indulgent | -
SWT-DRY | Dry-fruit Box, Four Kinds            |  999 | diwali rakhi                   | traditional practical | -
SWT-CHO | Handmade Chocolate Box, 16 Pieces    |  799 | valentine birthday rakhi       | indulgent romantic    | custom
SWT-HMP | Grand Diwali Hamper                  | 3499 | diwali                         | indulgent traditional | -
SWT-TEA | Darjeeling and Assam Tea Chest       | 1299 | diwali mothers-day             | indulgent minimal     | -
SWT-PLM | Plum Cake in a Tin                   |  699 | christmas                      | traditional indulgent | -
SWT-COO | Millet Cookies in a Jar              |  449 | birthday housewarming          | practical             | -
SWT-FIL | South Indian Filter Coffee Kit       | 1099 | birthday housewarming          | traditional practical | -
SWT-GOU | Gourmet Breakfast Hamper             | 2299 | anniversary mothers-day        | indulgent             | -
SWT-LAD | Besan Laddoos in Ghee, 500 g         |  549 | rakhi diwali                   | traditional           | -
# Flowers and plants
PLA-JAD | Jade Plant in Ceramic Pot            |  449 | housewarming birthday          | minimal practical     | -
PLA-BON | Ficus Bonsai                         | 1499 | anniversary housewarming       | minimal               | -
PLA-TUL | Tulsi in a Terracotta Planter        |  399 | diwali mothers-day housewarming | traditional           | -
PLA-PEA | Peace Lily                           |  549 | mothers-day                    | minimal romantic      | -
PLA-ROS | Preserved Rose under Glass           | 1999 | valentine anniversary          | romantic indulgent    | custom
PLA-TER | Terrarium Kit                        |  899 | birthday                       | playful minimal       | -
PLA-SUC | Succulents in a Tray, Three          |  649 | birthday housewarming          | minimal playful       | -
PLA-LUC | Lucky Bamboo, Three Layers           |  499 | diwali housewarming            | practical traditional | -
# Home decoration
HOM-MAD | Madhubani Wall Plate                 | 1299 | diwali housewarming            | traditional           | -
HOM-DHO | Dhokra Tribal Figurine               | 1799 | housewarming anniversary       | traditional indulgent | -
HOM-TOR | Toran for the Door, Mirror Work      |  599 | diwali housewarming            | traditional           | -
HOM-CUS | Block-printed Cushion Covers, Five   |  999 | diwali housewarming            | traditional practical | -
HOM-LED | Neon Name Sign                       | 2499 | birthday                       | playful               | custom
HOM-VAS | Matte Vase, Blush                    |  799 | housewarming mothers-day       | minimal               | -
HOM-NAM | Name Plate in Teak                   | 1599 | housewarming                   | practical traditional | custom
HOM-RUG | Dhurrie Rug, Indigo                  | 2199 | housewarming                   | traditional minimal   | -
HOM-LIG | Fairy-light Curtain, 300 LEDs        |  449 | diwali christmas               | playful               | -
HOM-MAP | Scratch Map of the World             |  899 | birthday                       | playful practical     | -
# Stationery
STA-JRN | Leather Journal with Initials        |  899 | birthday                       | minimal practical     | custom
STA-PEN | Engraved Roller Pen in Box           |  699 | birthday anniversary           | practical minimal     | custom
STA-CAR | Pop-up Greeting Card                 |  199 | birthday valentine christmas   | playful               | -
STA-LET | Open-when Letters Kit                |  499 | valentine anniversary          | romantic playful      | custom
STA-PLN | Undated Planner, Handmade Paper      |  599 | birthday christmas             | practical minimal     | -
STA-ART | Watercolour Set for Beginners        |  799 | birthday                       | playful               | -
STA-CAL | Brush Calligraphy Kit                | 1099 | birthday                       | minimal playful       | -
STA-BKM | Brass Bookmarks, Warli               |  299 | birthday rakhi                 | traditional minimal   | -
# Toys and children
KID-PUZ | Wooden Name Puzzle                   |  799 | birthday                       | playful practical     | custom
KID-CHA | Channapatna Stacking Toy             |  649 | birthday                       | traditional playful   | -
KID-BOO | Storybook Starring Your Child        |  999 | birthday christmas             | playful               | custom
KID-TED | Teddy with Embroidered Heart         |  899 | valentine birthday             | romantic playful      | custom
KID-SCI | Science Kit: Volcanoes               | 1199 | birthday                       | practical playful     | -
KID-TEN | Play Tent with Lights                | 2499 | birthday christmas             | playful indulgent     | -
KID-GAM | Family Board Game: Indian Railways   |  749 | diwali birthday                | playful               | -
KID-PIG | Hand-painted Money Bank              |  399 | birthday rakhi                 | playful traditional   | custom
# Rakhi
RAK-THR | Zari Rakhi with Roli and Chawal      |  199 | rakhi                          | traditional           | -
RAK-SIL | Silver Rakhi                         |  899 | rakhi                          | traditional indulgent | -
RAK-KID | Cartoon Rakhi for Kids               |  149 | rakhi                          | playful               | -
RAK-PAI | Bhaiya Bhabhi Rakhi Pair             |  349 | rakhi                          | traditional           | -
RAK-HMP | Rakhi with Chocolates and a Card     |  599 | rakhi                          | indulgent playful     | custom
RAK-PHO | Photo Rakhi                          |  299 | rakhi                          | romantic playful      | custom
RAK-SEE | Seed Rakhi that Grows into Tulsi     |  249 | rakhi                          | minimal practical     | -
# Diwali
DIW-DIY | Hand-painted Clay Diyas, Set of Eight|  299 | diwali                         | traditional           | -
DIW-RAN | Acrylic Rangoli Set                  |  499 | diwali                         | playful traditional   | -
DIW-THA | Silver-plated Puja Thali             | 1699 | diwali                         | traditional indulgent | -
DIW-LAN | Paper Kandil Lanterns, Three         |  399 | diwali                         | playful traditional   | -
DIW-GAN | Ganesha in Marble Dust               |  999 | diwali housewarming            | traditional           | -
DIW-BOX | Corporate Diwali Gift Box            | 1499 | diwali                         | practical indulgent   | custom
DIW-PLA | Meenakari Peacock Tray               | 1299 | diwali                         | traditional indulgent | -
# Wellness
WEL-BAT | Bath Salt and Soap Box               |  799 | mothers-day birthday           | indulgent             | -
WEL-AYU | Ayurvedic Face Care Set              | 1499 | mothers-day rakhi              | traditional indulgent | -
WEL-YOG | Cork Yoga Mat                        | 1999 | birthday                       | minimal practical     | -
WEL-ROB | Waffle Robe with Monogram            | 2299 | anniversary mothers-day        | indulgent minimal     | custom
WEL-PIL | Silk Pillowcase                      | 1199 | mothers-day birthday           | indulgent minimal     | -
WEL-OIL | Hair Oil in a Copper Pot             |  699 | mothers-day diwali             | traditional           | -
WEL-MSK | Eye Mask and Lavender Sachet         |  499 | birthday                       | minimal practical     | -
# Bags and wallets
BAG-WAL | Leather Wallet with Name             |  999 | birthday anniversary rakhi     | practical minimal     | custom
BAG-TOT | Ikat Tote                            |  699 | birthday mothers-day           | traditional practical | -
BAG-POT | Embroidered Potli                    |  449 | diwali rakhi                   | traditional           | -
BAG-PAS | Passport Cover for Two               |  799 | anniversary                    | practical romantic    | custom
BAG-LAP | Felt Laptop Sleeve                   | 1099 | birthday                       | minimal practical     | custom
BAG-CLU | Banarasi Clutch                      | 1499 | diwali anniversary             | traditional indulgent | -
BAG-KEY | Key Ring Engraved on Both Sides      |  249 | birthday valentine             | practical playful     | custom
# Gadgets
GAD-SPK | Bamboo Speaker without Power         |  899 | birthday                       | minimal playful       | -
GAD-CHG | Wireless Charging Tray, Engraved     | 1699 | birthday anniversary           | practical minimal     | custom
GAD-LMP | Levitating Planter Lamp              | 3999 | anniversary housewarming       | indulgent playful     | -
GAD-STA | Star Projector                       | 1499 | birthday christmas             | playful romantic      | -
GAD-BOT | Bottle Lamp with Your Words          |  799 | birthday valentine anniversary | romantic playful      | custom
GAD-PRI | Pocket Photo Printer                 | 4999 | birthday                       | indulgent practical   | -
# Christmas
XMS-TRE | Desk Christmas Tree with Lights      |  899 | christmas                      | playful               | -
XMS-ORN | Papier-mache Ornaments from Kashmir  |  599 | christmas                      | traditional playful   | -
XMS-STO | Stocking with Embroidered Name       |  549 | christmas                      | playful practical     | custom
XMS-SAN | Secret Santa Surprise Box            |  499 | christmas                      | playful               | -
XMS-HMP | Christmas Hamper with Plum Cake      | 1999 | christmas                      | indulgent             | -
"""


def _read_table() -> tuple[Gift, ...]:
    gifts, category = [], ""
    for line in _TABLE.strip().splitlines():
        if line.startswith("#"):
            category = line[1:].strip()
            continue
        sku, name, price, occasions, styles, flags = (cell.strip() for cell in line.split("|"))
        gift = Gift(
            sku=sku,
            name=name,
            category=category,
            price=int(price),
            occasions=tuple(occasions.split()),
            styles=tuple(styles.split()),
            customisable=flags == "custom",
        )
        gifts.append(gift)
    return tuple(gifts)


GIFTS = _read_table()
CATEGORIES = tuple(dict.fromkeys(gift.category for gift in GIFTS))

HAMPERS: dict[str, dict[str, int]] = {
    "SWT-HMP": {"SWT-KAJ": 1, "SWT-DRY": 1, "SWT-TEA": 1, "DIW-DIY": 1},
    "SWT-GOU": {"SWT-COO": 1, "SWT-FIL": 1, "MUG-STO": 2},
    "XMS-HMP": {"SWT-PLM": 1, "XMS-ORN": 1, "XMS-STO": 1},
}
"""What is put together of other gifts: units of each part, by SKU."""
