"""What the contracts must say, derived from the shop's mapped tables. Run as a script it writes them anew:

`.venv/bin/python -m tests.pipelines.contracts.derive` keeps the classes of personal data that people have set.
"""

from typing import Any

import yaml
from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Integer, String, Table, TypeDecorator
from sqlalchemy.types import TypeEngine

from pipelines import contracts
from transactional import tables

NOT_EXTRACTED = {
    "journal", "journal_context", "idempotency_keys", "refresh_tokens", "outbox", "webhook_inbox",
    "carrier_tokens", "carrier_calls", "tracking_inbox", "promotion_stamps",
}  # fmt: skip

PERSONAL_DATA = {
    "email": "contact", "email_key": "contact", "identity_key": "contact", "phone": "contact",
    "full_name": "identity", "recipient": "identity", "birthday": "identity",
    "line1": "address", "line2": "address", "postal_code": "address", "ship_to": "address", "buyer": "address",
    "gift_message": "free_text", "body": "free_text", "subject": "free_text", "customisation": "free_text",
    "raw": "free_text",
    "anonymous_id": "pseudonym", "session_id": "pseudonym", "customer_id": "pseudonym", "user_id": "pseudonym",
    "person_hash": "pseudonym",
}  # fmt: skip

UNITS = {"_minor": "minor", "_bp": "basis_points", "_grams": "grams", "_micros": "micros", "_days": "days"}


def column_type(kind: TypeEngine[Any]) -> contracts.ColumnType:
    """The warehouse's type for a column of the shop."""
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    for shop, raw in (
        (Boolean, contracts.ColumnType.BOOLEAN),
        (BigInteger, contracts.ColumnType.BIGINT),
        (Integer, contracts.ColumnType.BIGINT),
        (DateTime, contracts.ColumnType.TIMESTAMP),
        (Date, contracts.ColumnType.DATE),
        (JSON, contracts.ColumnType.JSON),
        (String, contracts.ColumnType.VARCHAR),
    ):
        if isinstance(kind, shop):
            return raw
    raise TypeError(f"no type in raw for {kind!r}")


def unit(name: str) -> str | None:
    """The unit that a column's name promises."""
    if name == "points" or name.startswith("points_redeemed"):
        return "points"
    return next((value for suffix, value in UNITS.items() if name.endswith(suffix)), None)


def contract(table: Table) -> contracts.Table:
    """The contract that a mapped table asks for: no secrets, no plumbing."""
    hidden = set(table.info.get("journal_redact", ()))
    columns = tuple(
        contracts.Column(
            name=str(column.name),
            type=column_type(column.type),
            nullable=bool(column.nullable),
            key=column.primary_key,
            unit=unit(column.name),
            personal_data=PERSONAL_DATA.get(column.name, "none"),
        )
        for column in table.columns
        if column.name not in hidden and not column.info.get("transaction_id")
    )
    times = [c.name for c in columns if c.type is contracts.ColumnType.TIMESTAMP and not c.nullable]
    feed: contracts.Feed = "own" if table.info.get("own_feed") else "journal"
    return contracts.Table(name=str(table.name), columns=columns, feed=feed, day_column=times[0] if times else None)


def derived() -> dict[str, contracts.Table]:
    """Every table that leaves the shop."""
    return {str(t.name): contract(t) for t in tables.metadata.sorted_tables if t.name not in NOT_EXTRACTED}


def document(table: contracts.Table, kept: contracts.Table | None) -> dict[str, Any]:
    """The contract as an Open Data Contract Standard document."""
    classes = {column.name: column.personal_data for column in kept.columns} if kept else {}
    logical = {"BIGINT": "integer", "BOOLEAN": "boolean", "TIMESTAMP": "date", "DATE": "date", "JSON": "object"}
    properties = []
    for column in table.columns:
        entry: dict[str, Any] = {
            "name": column.name,
            "logicalType": logical.get(column.type, "string"),
            "physicalType": column.type.value,
            "required": not column.nullable,
        }
        if column.key:
            entry["primaryKey"] = True
        if column.unit:
            entry["unit"] = column.unit
        entry["classification"] = classes.get(column.name, column.personal_data)
        properties.append(entry)
    custom = [{"property": "feed", "value": table.feed}]
    if table.day_column:
        custom.append({"property": "dayColumn", "value": table.day_column})
    schema = {"name": table.name, "physicalType": "table", "customProperties": custom, "properties": properties}
    return {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": f"raw.{table.name}",
        "version": "1.0.0",
        "status": "active",
        "schema": [schema],
    }


def main() -> None:
    """Write every contract; remove those whose table is gone."""
    existing = dict(contracts.load())
    wanted = derived()
    for name in existing.keys() - wanted.keys():
        (contracts.FOLDER / f"{name}.yml").unlink()
    for name, table in wanted.items():
        text = yaml.safe_dump(document(table, existing.get(name)), sort_keys=False, allow_unicode=True, width=120)
        (contracts.FOLDER / f"{name}.yml").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
