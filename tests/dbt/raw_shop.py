"""A small shop written straight into `raw`, as extraction would leave it, with the keys that a change touches."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from pipelines import contracts

START = datetime(2025, 1, 6, 9, 0)  # noqa: DTZ001 - `raw` holds UTC without a zone
_DEFAULTS: dict[str, Any] = {"BIGINT": 0, "VARCHAR": "", "JSON": "{}", "BOOLEAN": False, "TIMESTAMP": START}


class RawShop:
    """Rows of `raw` in one build file. Use as a context manager: the file must be closed before dbt opens it."""

    def __init__(self, build: Path) -> None:
        self._tables = contracts.load()
        self._connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        self._connection.execute(f"ATTACH '{build}' AS warehouse")
        self._connection.execute("USE warehouse")

    def __enter__(self) -> "RawShop":
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def create(self) -> None:
        """Empty tables by their contracts, and the word that everything is new."""
        self._connection.execute("CREATE SCHEMA raw")
        self._connection.execute("CREATE SCHEMA raw_ops")
        for table in self._tables.values():
            columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table.columns)
            self._connection.execute(f'CREATE TABLE raw."{table.name}" ({columns})')
        self._connection.execute("CREATE TABLE raw_ops.changed_keys (table_name VARCHAR, row_id BIGINT)")
        self._connection.execute('CREATE TABLE raw_ops.extract_state ("full" BOOLEAN)')
        self._connection.execute(
            "CREATE TABLE raw_ops.extraction_cursor AS SELECT 'journal' AS feed, ?::TIMESTAMP AS extracted_at",
            [datetime.now(UTC).replace(tzinfo=None)],
        )
        self.next_extraction(full=True)

    def next_extraction(self, *, full: bool) -> None:
        """Forget what was touched before, as the seeding of a build does."""
        self._connection.execute("DELETE FROM raw_ops.changed_keys")
        self._connection.execute("DELETE FROM raw_ops.extract_state")
        self._connection.execute("INSERT INTO raw_ops.extract_state VALUES (?)", [full])

    def put(self, table: str, row_id: int, **values: Any) -> int:
        """Insert a row; columns that may be NULL stay so, the others get a harmless value. Returns the id."""
        row = {
            column.name: values.pop(column.name, None if column.nullable else _DEFAULTS[column.sql_type])
            for column in self._tables[table].columns
            if column.name != "id"
        }
        assert not values, f"raw.{table} has no column {', '.join(values)}"
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        self._connection.execute(
            f'INSERT INTO raw."{table}" (id, {names}) VALUES (?, {marks})', [row_id, *row.values()]
        )
        self._touch(table, row_id)
        return row_id

    def change(self, table: str, row_id: int, **values: Any) -> None:
        """Update a row."""
        assignments = ", ".join(f'"{name}" = ?' for name in values)
        self._connection.execute(f'UPDATE raw."{table}" SET {assignments} WHERE id = ?', [*values.values(), row_id])
        self._touch(table, row_id)

    def remove(self, table: str, row_id: int) -> None:
        """Delete a row."""
        self._connection.execute(f'DELETE FROM raw."{table}" WHERE id = ?', [row_id])
        self._touch(table, row_id)

    def select(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of `raw` as they stand now."""
        return self._connection.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        """A change behind everybody's back: no key is touched."""
        self._connection.execute(statement)

    def _touch(self, table: str, row_id: int) -> None:
        self._connection.execute("INSERT INTO raw_ops.changed_keys VALUES (?, ?)", [table, row_id])

    def set_the_stage(self) -> None:
        """The shop itself, its customers, its goods and what visitors did before they bought."""
        self.put("shop_profile", 1, name="Test gifts", base_currency="INR", time_zone="Asia/Kolkata")
        for number in range(1, 4):
            self.put("categories", number, slug=f"category-{number}", name=f"Category {number}")
            self.put("occasions", number, key=f"occasion-{number}", name=f"Occasion {number}")
        for number in range(1, 11):
            self.put(
                "products", number, slug=f"product-{number}", name=f"Product {number}", gift_tier="budget",
                category_id=1 + number % 3, is_active=True,
            )  # fmt: skip
            self.put("product_variants", number, product_id=number, sku=f"SKU-{number}", is_default=True)
            self.put("product_occasions", number, product_id=number, occasion_id=1 + number % 3)
            self.put("prices", number, variant_id=number, channel="web", currency="INR", amount_minor=1000 * number)
        for number in range(1, 21):
            self.put(
                "customers", number, email=None if number == 20 else f"c{number}@example.org", is_guest=number > 15,
                acquisition_channel="search" if number % 2 else "direct", country="India", source="shop",
            )  # fmt: skip
            self.put(
                "behaviour_events", number, event_id=f"e{number}", anonymous_id=f"visitor-{number % 7}", type="view",
                session_id=f"s{number % 9}", product_id=1 + number % 10, server_time=START + timedelta(days=number),
            )  # fmt: skip
        self.put("visitor_identities", 1, anonymous_id="visitor-3", customer_id=5)
        self._stock_the_shelves()

    def _stock_the_shelves(self) -> None:
        """Every variant is counted at one place; a supplier owes the rest of a delivery."""
        self.put("locations", 1, code="main", name="Main", is_active=True)
        self.put("suppliers", 1, code="clay", name="Clay & Co", is_active=True)
        self.put(
            "purchase_orders", 1, purchase_number="PO-1", supplier_id=1, location_id=1, currency="INR", origin="manual",
            status="partially_received", placed_at=START, expected_at=START + timedelta(days=20),
        )  # fmt: skip
        self.put("purchase_receipts", 1, purchase_order_id=1, location_id=1, received_at=START + timedelta(days=15))
        for number in range(1, 11):
            self.change("product_variants", number, inventory_policy="deny")
            self.put("stock_levels", number, variant_id=number, location_id=1, service_level_bp=9500, low_stock_level=5,
                     reorder_policy="fixed" if number == 2 else "forecast", reorder_point=40)  # fmt: skip
            self.put("supplier_products", number, supplier_id=1, supplier_sku=f"C-{number}", variant_id=number,
                     pack_size=6, minimum_quantity=12, cost_minor=400 * number, currency="INR", lead_time_days=9,
                     is_active=True, is_preferred=True)  # fmt: skip
            self.put("purchase_order_lines", number, purchase_order_id=1, supplier_product_id=number,
                     variant_id=number, quantity=70, unit_cost_minor=400 * number, received_quantity=60,
                     damaged_quantity=1)  # fmt: skip
            self.put("purchase_receipt_lines", number, purchase_receipt_id=1, purchase_order_line_id=number,
                     quantity=60, damaged_quantity=1)  # fmt: skip
            self.put("stock_movements", 100_000 + number, variant_id=number, location_id=1, kind="receipt", quantity=60,
                     purchase_receipt_line_id=number, occurred_at=START + timedelta(days=15))  # fmt: skip
        self.count_the_shelves()

    def count_the_shelves(self) -> None:
        """Bring the levels to what movements and holds say, as the shop's conditional writes do."""
        for (level,) in self.select("SELECT id FROM raw.stock_levels"):
            ((on_hand, reserved),) = self.select(
                "SELECT (SELECT coalesce(sum(quantity), 0) FROM raw.stock_movements WHERE variant_id = l.variant_id),"
                " (SELECT coalesce(sum(quantity), 0) FROM raw.stock_holds"
                "  WHERE variant_id = l.variant_id AND state = 'live')"
                f" FROM raw.stock_levels AS l WHERE id = {level}"
            )
            self.change("stock_levels", level, on_hand=on_hand, reserved=reserved)

    def count_the_points(self) -> None:
        """Bring the balances to what lots and reversals say."""
        covered = "SELECT coalesce(sum(amount), 0) FROM raw.point_consumptions WHERE entry_id = e.id"
        for (customer,) in self.select("SELECT DISTINCT customer_id FROM raw.point_entries ORDER BY 1"):
            ((active, pending),) = self.select(
                "SELECT coalesce(sum(remaining) FILTER (state = 'active'), 0),"
                " coalesce(sum(remaining) FILTER (state = 'pending'), 0)"
                f" FROM raw.point_lots WHERE customer_id = {customer}"
            )
            ((owed,),) = self.select(
                f"SELECT coalesce(sum(-points - ({covered})), 0) FROM raw.point_entries AS e"
                f" WHERE kind = 'reverse' AND customer_id = {customer}"
            )
            if not self.select(f"SELECT 1 FROM raw.point_balances WHERE id = {customer}"):
                self.put("point_balances", customer, customer_id=customer)
            self.change("point_balances", customer, active=active, pending=pending, owed=owed)

    def trade(self, numbers: range, *, seed: int) -> None:
        """Orders with every fate: paid, unpaid, cancelled before and after payment, on delivery, returned in part."""
        chance = Random(seed)
        for number in numbers:
            self._order(number, chance)
        self.count_the_shelves()
        self.count_the_points()

    def _order(self, number: int, chance: Random) -> None:
        placed = START + timedelta(days=number * 4, minutes=chance.randrange(1440))
        fate = chance.choice(["delivered", "delivered", "delivered", "expired", "cancelled", "refunded", "on_delivery"])
        paid = placed + timedelta(minutes=7) if fate in {"delivered", "refunded"} else None
        gross = sum(
            self._line(number, position, chance, sent=fate == "delivered") for position in range(chance.randint(1, 3))
        )
        points, off = (300 if number % 5 == 0 else 0), (500 if number % 13 == 0 else 0)
        total = gross - points - off + 4900
        self.put(
            "orders", number, public_id=f"or_{number}", order_number=f"MLT-{number}", channel="web", currency="INR",
            customer_id=None if number % 11 == 0 else 1 + number % 20, is_test=number % 17 == 0, tax_included=True,
            status={"refunded": "cancelled", "on_delivery": "shipped"}.get(fate, fate),
            payment_mode="on_delivery" if fate == "on_delivery" else "online", gross_minor=gross, source="shop",
            discount_minor=off, points_discount_minor=points, shipping_minor=4900, total_minor=total, placed_at=placed,
            paid_at=paid, cancelled_at=placed + timedelta(days=2) if fate in {"cancelled", "refunded"} else None,
            delivered_at=placed + timedelta(days=3) if fate == "delivered" else None, ship_country="India",
            occasion="occasion-1" if number % 2 else None, coupon_code="DIWALI" if number % 7 == 0 else None,
        )  # fmt: skip
        self._the_first_line_gets_cheaper(number, points, off)
        self._steps(number, placed, fate)
        if fate == "on_delivery":
            self.put("stock_holds", number, variant_id=1 + number % 10, location_id=1, order_id=number, quantity=2,
                     state="live")  # fmt: skip
            self._parcel(number, placed, chance)
        if paid is None:
            return
        self.put("gateway_orders", number, order_id=number, gateway="razorpay", amount_minor=total, currency="INR",
                 purpose="order")  # fmt: skip
        self.put(
            "payments", number, order_id=number, gateway="razorpay", gateway_payment_id=f"pay_{number}", method="upi",
            status="captured", currency="INR", amount_minor=total, captured_minor=total, captured_at=paid,
            gateway_order_id=number,
        )  # fmt: skip
        self._post(number * 100, number, "capture", total, paid)
        if fate == "delivered":
            self._document(number * 100, number, "invoice", total, placed + timedelta(days=1))
            self._parcel(number, placed, chance)
        if number % 11 and number % 20 != 19:
            customer = 1 + number % 20
            self.put(
                "point_lots", number, customer_id=customer, source="order", state="active", amount=9, remaining=9,
                wallet="earned", earned_at=paid, available_at=paid, expires_at=paid + timedelta(days=365),
            )  # fmt: skip
            self.put(
                "point_entries", number, customer_id=customer, lot_id=number, order_id=number, kind="earn", points=9,
                wallet="earned", occurred_at=paid,
            )  # fmt: skip
        if fate == "delivered" and number % 3 == 0:
            self.take_back(number, placed + timedelta(days=9))

    def _line(self, order: int, position: int, chance: Random, *, sent: bool) -> int:
        line, product, quantity = order * 10 + position, chance.randint(1, 10), chance.randint(1, 3)
        gross = quantity * 1000 * product
        self.put(
            "order_lines", line, order_id=order, variant_id=product, product_id=product, sku=f"SKU-{product}",
            quantity=quantity, unit_price_minor=1000 * product, gross_minor=gross, net_minor=gross,
            shipped_quantity=quantity if sent else 0, delivered_quantity=quantity if sent else 0,
        )  # fmt: skip
        self.put("stock_movements", line, variant_id=product, location_id=1, kind="sale", quantity=-quantity,
                 order_line_id=line, occurred_at=START + timedelta(days=order * 4))  # fmt: skip
        return gross

    def _the_first_line_gets_cheaper(self, order: int, points: int, off: int) -> None:
        if points or off:
            self._connection.execute(
                "UPDATE raw.order_lines SET points_discount_minor = ?, order_discount_minor = ?,"
                " net_minor = gross_minor - ? WHERE id = ?",
                [points, off, points + off, order * 10],
            )

    def _steps(self, order: int, placed: datetime, fate: str) -> None:
        steps = {
            "delivered": ["awaiting_payment", "paid", "packed", "delivered"],
            "refunded": ["awaiting_payment", "paid", "cancelled"],
            "on_delivery": ["packed", "shipped"],
        }.get(fate, ["awaiting_payment", fate])
        for position, status in enumerate(steps):
            self.put(
                "order_status_changes", order * 10 + position, order_id=order, to_status=status,
                occurred_at=placed + timedelta(hours=position * position),
            )  # fmt: skip

    def _parcel(self, order: int, placed: datetime, chance: Random) -> None:
        """One parcel with the first line; parcels of orders on delivery are still under way, or turned back."""
        ((on_delivery,),) = self.select(f"SELECT payment_mode = 'on_delivery' FROM raw.orders WHERE id = {order}")
        status = chance.choice(["in_transit", "created", "rto_in_transit"]) if on_delivery else "delivered"
        shipped = None if status == "created" else placed + timedelta(days=1)
        self.put(
            "shipments", order, order_id=order, kind="forward", carrier="shiprocket", status=status, created_at=placed,
            courier_name=chance.choice(["Swift", "Turtle"]), zone="metro", currency="INR", weight_grams=400,
            quoted_minor=6000, predicted_cost_minor=6600, cost_minor=None if on_delivery else 6500, shipped_at=shipped,
            expected_delivery_at=placed + timedelta(days=chance.randint(2, 5)),
            delivered_at=None if on_delivery else placed + timedelta(days=3),
            rto_initiated_at=placed + timedelta(days=4) if status == "rto_in_transit" else None,
        )  # fmt: skip
        self.put("shipment_items", order, shipment_id=order, order_line_id=order * 10, quantity=1)

    def _post(self, number: int, order: int, kind: str, amount: int, when: datetime) -> None:
        """A transaction of the ledger: money comes from a customer, or goes back to them (negative)."""
        self.put("ledger_transactions", number, kind=kind, business_key=f"{kind}:{number}", order_id=order,
                 occurred_at=when)  # fmt: skip
        for side, account in enumerate(("gateway_clearing", "customer_payments")):
            self.put("ledger_postings", number * 2 + side, transaction_id=number, account=account, currency="INR",
                     amount_minor=-amount if side else amount)  # fmt: skip

    def _document(self, number: int, order: int, kind: str, total: int, when: datetime) -> None:
        self.put(
            "tax_documents", number, kind=kind, series="INV" if kind == "invoice" else "CRN", financial_year=2025,
            serial=number, number=f"{kind[:3]}-{number}", order_id=order, place_of_supply="27", supply_kind="inter",
            refers_to_id=None if kind == "invoice" else order * 100, currency="INR", taxable_minor=total,
            total_minor=total, issued_at=when,
        )  # fmt: skip

    def give_money_back(
        self, refund: int, order: int, money: int, when: datetime, *, return_id: int | None, on_paper: bool = True
    ) -> None:
        """A refund that the gateway has done: in the payment, the ledger and on paper."""
        self.put(
            "refunds", refund, payment_id=order, order_id=order, return_id=return_id, idempotency_key=f"key-{refund}",
            status="processed", amount_minor=money, currency="INR", created_at=when, processed_at=when,
        )  # fmt: skip
        ((already,),) = self.select(f"SELECT refunded_minor FROM raw.payments WHERE id = {order}")
        self.change("payments", order, refunded_minor=already + money)
        self._post(refund * 100 + 1, order, "refund", -money, when)
        if on_paper:
            self._document(refund * 100 + 1, order, "credit_note", money, when)

    def fail_to_refund(self, refund: int, order: int, money: int, when: datetime) -> None:
        """The gateway could not give money back that the papers have credited: the customer is still owed it."""
        self.put(
            "refunds", refund, payment_id=order, order_id=order, idempotency_key=f"key-{refund}", status="failed",
            amount_minor=money, currency="INR", created_at=when, failed_at=when,
        )  # fmt: skip
        self._document(refund * 100 + 1, order, "credit_note", money, when)

    def call_off_a_unit(self, order: int, when: datetime, *, shipping: int = 0) -> None:
        """One unit of the first line of a paid order is cancelled, with its money and perhaps the shipping's."""
        ((net, quantity),) = self.select(f"SELECT net_minor, quantity FROM raw.order_lines WHERE id = {order * 10}")
        money = net // quantity
        self.change("order_lines", order * 10, cancelled_quantity=1, shipped_quantity=quantity - 1,
                    delivered_quantity=quantity - 1, refunded_minor=money)  # fmt: skip
        self.put("order_unit_moves", order, order_id=order, order_line_id=order * 10, kind="cancelled", quantity=1,
                 first_unit=0, refund_minor=money, occurred_at=when)  # fmt: skip
        self.put(
            "order_refund_decisions", order, order_id=order, cause=f"cancel:{order}", kind="cancelled", currency="INR",
            units_minor=money, shipping_minor=shipping, refund_minor=money + shipping, decided_at=when,
        )  # fmt: skip
        self.give_money_back(order + 1000, order, money + shipping, when, return_id=None)

    def add_a_line(self, order: int, when: datetime) -> None:
        """A change set adds two units of product 10 to a paid order; the customer pays for them."""
        line, gross = order * 10 + 9, 20_000
        self.put(
            "order_lines", line, order_id=order, variant_id=10, product_id=10, sku="SKU-10", quantity=2,
            unit_price_minor=gross // 2, gross_minor=gross, net_minor=gross, shipped_quantity=2, delivered_quantity=2,
        )  # fmt: skip
        self.put("order_changes", order, public_id=f"oc_{order}", order_id=order, kind="edit", status="applied",
                 currency="INR", added_minor=gross, difference_minor=gross, applied_at=when)  # fmt: skip
        self.put("order_change_lines", order, change_id=order, action="add", order_line_id=line, variant_id=10,
                 product_id=10, quantity=2, gross_minor=gross, net_minor=gross)  # fmt: skip
        ((was, total),) = self.select(f"SELECT gross_minor, total_minor FROM raw.orders WHERE id = {order}")
        self.change("orders", order, gross_minor=was + gross, total_minor=total + gross)
        self.put("payments", order + 1000, order_id=order, gateway="razorpay", gateway_payment_id=f"pay_{order}x",
                 method="upi", status="captured", currency="INR", amount_minor=gross, captured_minor=gross,
                 captured_at=when)  # fmt: skip
        self._post(order * 100 + 2, order, "capture", gross, when)
        self._document(order * 100 + 2, order, "invoice", gross, when)

    def take_back(self, order: int, when: datetime) -> None:
        """One unit of an order's first line comes back and its money goes."""
        found = self._connection.execute(
            "SELECT product_id, net_minor // quantity FROM raw.order_lines WHERE id = ?", [order * 10]
        ).fetchone()
        assert found, f"order {order} has no first line"
        product, money = found
        self.put(
            "returns", order, public_id=f"rt_{order}", order_id=order, status="processed", currency="INR",
            processed_at=when,
        )  # fmt: skip
        self.put(
            "return_lines", order, return_id=order, order_line_id=order * 10, variant_id=product, product_id=product,
            quantity=1, refund_minor=money,
        )  # fmt: skip
        self.give_money_back(order, order, money, when, return_id=order)
        self.change("order_lines", order * 10, returned_quantity=1, refunded_minor=money)
