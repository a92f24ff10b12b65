"""What follows an order that is paid, or will be at the door: second thoughts, parcels, questions."""

from transactional.simulation import changing, opinions, sending
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage

_CALLS_OFF = 0.02
_ASKS = 0.05


def plan(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """Plan what becomes of an order."""
    if stage.chance(_CALLS_OFF):
        stage.later(stage.after(1, 5), lambda: changing.call_off(stage, shopper, order_id))
        return
    changing.plan(stage, shopper, order_id)
    sending.plan(stage, shopper, order_id)
    if stage.chance(_ASKS) and not shopper.is_guest:
        stage.later(stage.after(6, 120), lambda: opinions.ask(stage, shopper, order_id))
