"""The account itself: pickup addresses, wallet, statement, disputes about weight."""

from typing import Any

from transactional.shipping_standin import times, validation
from transactional.shipping_standin.books import Books
from transactional.shipping_standin.refusals import invalid

Json = dict[str, Any]
_MAX_NICKNAME = 36
_MAX_ADDRESS = 80


class AccountDesk:
    """Looks after the account."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def locations(self) -> Json:
        """`GET /settings/company/pickup`."""
        return {"data": {"shipping_address": [dict(place) for place in self._books.locations]}}

    def add_location(self, body: Json) -> Json:
        """`POST /settings/company/addpickup`."""
        nickname, address = str(body.get("pickup_location", "")), str(body.get("address", ""))
        if not 1 <= len(nickname) <= _MAX_NICKNAME:
            raise invalid(pickup_location=f"The pickup location must have 1 to {_MAX_NICKNAME} characters.")
        if not 1 <= len(address) <= _MAX_ADDRESS:
            raise invalid(address=f"The address must have 1 to {_MAX_ADDRESS} characters.")
        if any(place["pickup_location"] == nickname for place in self._books.locations):
            raise invalid(pickup_location="Address name already exists")
        place = {**self._books.locations[0], **body, "id": len(self._books.locations) + 1}
        self._books.locations.append(place)
        return {"success": True, "address": place, "pickup_id": place["id"]}

    def wallet(self) -> Json:
        """`GET /account/details/wallet-balance`: a text, perhaps negative."""
        return {"data": {"balance_amount": f"{self._books.wallet_paise / 100:.2f}"}}

    def statement(self) -> Json:
        """`GET /account/details/statement`: one line an AWB."""
        lines = [
            {
                "awb": parcel.awb,
                "description": "Freight charges",
                "debit": f"{parcel.rate_paise / 100:.2f}",
                "credit": "0.00",
                "created_at": times.with_comma(parcel.awb_assigned_at),
            }
            for parcel in self._books.parcels()
            if parcel.awb is not None and parcel.awb_assigned_at is not None
        ]
        return {"data": lines}

    def discrepancies(self) -> Json:
        """`GET /billing/discrepancy`: parcels whose scale shows more than was declared."""
        found = []
        for parcel in self._books.parcels():
            entered = validation.grams_of(self._books.order_of(parcel).body)
            if parcel.charged_grams is not None and self._books.switches.overweight_grams and parcel.awb:
                found.append(
                    {
                        "awb_code": parcel.awb,
                        "entered_weight": entered / 1_000,
                        "charged_weight": parcel.charged_grams / 1_000,
                        "charged_amount": (parcel.rate_paise * 2) / 100,
                        "status": "NEW",
                    }
                )
        return {"data": found}
