"""Second thoughts: cancellations, and what to do with parcels that nobody took in."""

from typing import Any

from transactional.shipping_standin import times
from transactional.shipping_standin.books import Books
from transactional.shipping_standin.entities import Order, Parcel, Scan
from transactional.shipping_standin.refusals import Refusal, broken, invalid

Json = dict[str, Any]

_TOO_LATE = 19
"""Out for pickup on the shipment scale: from here on nothing can be called off."""
_BEFORE_PICKUP = {None, 1, 2, 3, 4, 5, 13, 15, 20, 27, 52}
_MOST_AWBS = 2_000
_ACTIONS = {"re-attempt", "return", "fake-attempt"}


class AftercareDesk:
    """Cancels, and takes instructions."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def cancel_orders(self, body: Json) -> Json:
        """`POST /orders/cancel`; unknown ids break it, a parcel out for pickup cannot be called off."""
        wanted = body.get("ids")
        if not isinstance(wanted, list):
            raise broken("Invalid argument supplied for foreach()")
        orders = [self._books.order(each) for each in wanted]
        for order in orders:
            self._require_cancellable(order)
        for order in orders:
            self._cancel(order)
        return {"message": "Order cancelled successfully."}

    def cancel_awbs(self, body: Json) -> Json:
        """`POST /orders/cancel/shipment/awbs`: asynchronous, and silent about what cannot be called off."""
        wanted = body.get("awbs")
        if not isinstance(wanted, list) or len(wanted) > _MOST_AWBS:
            raise invalid(awbs=f"The awbs must be an array of at most {_MOST_AWBS}.")
        for parcel in filter(None, map(self._books.by_awb, wanted)):
            if parcel.code in _BEFORE_PICKUP:
                self._cancel(self._books.order_of(parcel))
        return {"message": "Bulk Shipment cancellation is in progress. Please wait for some time."}

    def complete_cancellation(self, order: Order) -> None:
        """A cancellation that waited is done now, unless the courier was faster."""
        if not order.cancel_pending:
            raise ValueError(f"order {order.id} waits for no cancellation")
        order.cancel_pending = False
        if order.parcel.code in _BEFORE_PICKUP | {16}:
            self._finish(order)

    def _require_cancellable(self, order: Order) -> None:
        if order.parcel.code not in _BEFORE_PICKUP | {8, 16}:
            raise Refusal("Cannot cancel order as it is already picked up or out for pickup", status=400)

    def _cancel(self, order: Order) -> None:
        if order.is_cancelled:
            return
        if self._books.switches.cancellation == "later":
            order.cancel_pending = True
            order.status = 18
            return
        self._finish(order)

    def _finish(self, order: Order) -> None:
        parcel = order.parcel
        order.status = 27 if order.is_return else 5
        if parcel.awb is not None:
            parcel.code = 8
            now = self._books.clock.now()
            parcel.scans.append(Scan(now, "8", "CANCELED", "CAN", "Shipment cancelled", "NA"))
            self._books.wallet_paise += parcel.rate_paise

    # --- not delivered ----------------------------------------------------------------------------------------------

    def all_ndr(self) -> Json:
        """`GET /ndr/all`."""
        return {"data": [self._ndr(parcel) for parcel in self._books.parcels() if parcel.ndr]}

    def one_ndr(self, awb: str) -> Json:
        """`GET /ndr/:awb`."""
        parcel = self._books.by_awb(awb)
        return {"data": [self._ndr(parcel)] if parcel is not None and parcel.ndr else []}

    def act(self, awb: str, body: Json) -> Json:
        """`POST /ndr/:awb/action`; the answer is spelled so."""
        if body.get("action") not in _ACTIONS:
            raise invalid(action="The selected action is invalid.")
        if not body.get("comments"):
            raise invalid(comments="The comments field is required.")
        parcel = self._books.by_awb(awb)
        if parcel is None or not parcel.ndr:
            raise Refusal("No NDR found for this AWB", status=400)
        parcel.ndr[-1]["action"] = body["action"]
        if body["action"] == "return":
            parcel.script, parcel.next_step = "rto", 8
        return {"status": "Data Updated Sucessfully"}

    def _ndr(self, parcel: Parcel) -> Json:
        last = parcel.ndr[-1]
        return {
            "id": parcel.id,
            "awb_code": parcel.awb,
            "courier": parcel.courier_name,
            "attempts": len(parcel.ndr),
            "ndr_raised_at": times.stamp(last["at"]),
            "reason": last["reason"],
            "history": [{"ndr_reason": each["reason"], "action_by": each["action"]} for each in parcel.ndr],
        }
