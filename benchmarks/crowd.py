"""A crowd of shoppers in a process of its own: each buys, pays and reports, one purchase after the other.

`python -m benchmarks.crowd --shop URL --bank URL --variants 1,2,3 --clients 8 --seconds 10` prints one JSON object.
A purchase is three requests to the shop (cart with its line, checkout that starts the payment, verification) and the
shopper's own visit to the bank, whose time counts as well.
"""

import argparse
import asyncio
import itertools
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import aiohttp

from benchmarks.measure import Load, percentile

_ADDRESS = {
    "recipient": "Asha Rao", "line1": "12 MG Road", "city": "Bengaluru", "state": "Karnataka",
    "postal_code": "560001", "country": "IN",
}  # fmt: skip

Act = Callable[[int], Awaitable[bool]]


class Shopper:
    """What one does in a shop; `kept` connections are shared by the crowd, as browsers keep theirs."""

    def __init__(self, kept: aiohttp.ClientSession, *, shop: str, bank: str, variants: list[int]) -> None:
        self._kept, self._shop, self._bank, self._variants = kept, shop, bank, variants
        self._crowd = uuid.uuid4().hex[:8]

    async def look(self, _number: int) -> bool:
        """The cheapest answer that the shop has: what every other figure is compared with."""
        async with self._kept.get(f"{self._shop}/health") as answer:
            await answer.read()
            return answer.ok

    async def buy(self, number: int) -> bool:
        """From an empty hand to a paid order."""
        cart = await self._post("/v1/carts", {"lines": [{"variant_id": self._variants[number % len(self._variants)]}]})
        if cart is None:
            return False
        body = {
            "cart_id": cart["id"],
            "email": f"guest{number}.{self._crowd}@example.com",
            "ship_to": _ADDRESS,
            "start_payment": True,
        }
        order = await self._post("/v1/checkout", body)
        if order is None or not isinstance(order["payment"], dict):
            return False
        at_the_bank = f"/_control/orders/{order['payment']['gateway_order_id']}/pay"
        triple = await self._post(at_the_bank, {"method": "upi", "outcome": "captured"}, base=self._bank)
        if triple is None:
            return False
        verified = await self._post("/v1/payments/verify", triple)
        return verified is not None and verified["order_status"] == "paid"

    async def _post(self, path: str, body: dict[str, object], base: str | None = None) -> dict[str, object] | None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        async with self._kept.post(f"{base or self._shop}{path}", json=body, headers=key) as answer:
            content: dict[str, object] = await answer.json()
            return content if answer.ok else None


async def crowd(act: Act, *, clients: int, seconds: float) -> Load:
    """Let `clients` act for so long, each without a pause; who has begun when time is over still ends."""
    numbers = itertools.count()
    latencies: list[float] = []
    errors = 0
    started = time.perf_counter()

    async def client() -> None:
        nonlocal errors
        while time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            errors += not await act(next(numbers))
            latencies.append((time.perf_counter() - begun) * 1000)

    await asyncio.gather(*(client() for _ in range(clients)))
    elapsed = time.perf_counter() - started
    latencies.sort()
    return Load(
        requests_per_second=(len(latencies) - errors) / elapsed,
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        requests=len(latencies),
        errors=errors,
    )


async def _run(args: argparse.Namespace) -> Load:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as kept:
        variants = [int(number) for number in args.variants.split(",")]
        shopper = Shopper(kept, shop=args.shop, bank=args.bank, variants=variants)
        act = shopper.buy if args.act == "buy" else shopper.look
        return await crowd(act, clients=args.clients, seconds=args.seconds)


def main() -> None:
    """Run one crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", required=True)
    parser.add_argument("--bank", required=True)
    parser.add_argument("--variants", required=True)
    parser.add_argument("--act", choices=["buy", "look"], default="buy")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    print(json.dumps(asdict(asyncio.run(_run(parser.parse_args())))))


if __name__ == "__main__":
    main()
