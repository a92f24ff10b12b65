"""Bundles: variants that are made of others (a hamper). What is counted, held and sold are the parts.

Nobody outside of this domain sees the parts: orders name the bundle, its holds and movements name the component.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, delete, exists, or_, select
from sqlalchemy.orm import Session

from transactional.catalog.service import InventoryPolicy, inventory_policies, set_inventory_policy
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.inventory.models import BundleComponent, StockHold, StockLevel

Policies = dict[int, InventoryPolicy]


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a variant that are needed because `ordered` was asked for; the two are the same but for a bundle."""

    ordered: int
    variant_id: int
    quantity: int

    @property
    def bundle_variant_id(self) -> int | None:
        """The bundle that this is a part of."""
        return None if self.ordered == self.variant_id else self.ordered


def read_policies(session: Session, variant_ids: Iterable[int]) -> Policies:
    """The inventory policy of each variant; NotFound names the first that does not exist."""
    wanted = set(variant_ids)
    policies = inventory_policies(session, wanted)
    unknown = sorted(wanted - set(policies))
    if unknown:
        raise NotFound(f"there is no variant {unknown[0]}")
    return policies


def refuse_bundle(policies: Policies) -> None:
    """Raise InvalidInput where one of the variants is a bundle: nothing of it lies on a shelf."""
    bundle = next((variant for variant, policy in policies.items() if policy is InventoryPolicy.BUNDLE), None)
    if bundle is not None:
        raise InvalidInput(f"variant {bundle} is a bundle: its parts lie on the shelf, not the bundle")


def check_stocked(session: Session, variant_id: int) -> None:
    """Raise NotFound for an unknown variant, InvalidInput for a bundle: it cannot lie on a shelf."""
    refuse_bundle(read_policies(session, [variant_id]))


def components_of(session: Session, bundle_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Units of each component in one of each bundle; a bundle whose parts nobody named has none."""
    return _read(session, bundle_ids, _lists(bundle_ids))


def bundle(session: Session, variant_id: int) -> dict[int, int]:
    """What one bundle is made of; NotFound for an unknown variant or one that is no bundle."""
    if read_policies(session, [variant_id])[variant_id] is not InventoryPolicy.BUNDLE:
        raise NotFound(f"variant {variant_id} is no bundle")
    return components_of(session, [variant_id])[variant_id]


def recipes(session: Session, policies: Policies, *, keep: bool = False) -> dict[int, dict[int, int]]:
    """The components of those variants that are bundles. Without any it asks the database nothing.

    With `keep` the lists cannot be changed before the transaction ends.
    """
    bundles = [variant_id for variant_id, policy in policies.items() if policy is InventoryPolicy.BUNDLE]
    if not bundles:
        return {}
    statement = _lists(bundles)
    return _read(session, bundles, statement.with_for_update(read=True, key_share=True) if keep else statement)


def expand(demand: Mapping[int, int], parts_of: Mapping[int, Mapping[int, int]]) -> list[Part]:
    """The units that a demand takes off the shelves, bundles replaced by their components."""
    needed: list[Part] = []
    for ordered, quantity in sorted(demand.items()):
        components = parts_of.get(ordered, {ordered: 1})
        needed += [Part(ordered, component, quantity * units) for component, units in sorted(components.items())]
    return needed


def set_components(session: Session, *, bundle_variant_id: int, components: Mapping[int, int]) -> dict[int, int]:
    """Say what a bundle is made of (units per component), and make the variant a bundle.

    The list is fixed once a bundle was ordered: what comes back of an old one must be what had left. A new list is a
    new variant. Raises NotFound, InvalidInput (no parts, less than one unit, a bundle or the variant itself among
    them), Conflict (ordered already, has stock of its own, or is a part of another bundle).
    """
    _check_components(session, bundle_variant_id, components)
    set_inventory_policy(session, variant_id=bundle_variant_id, policy=InventoryPolicy.BUNDLE)
    if components_of(session, [bundle_variant_id])[bundle_variant_id] == dict(components):
        return dict(components)
    # The old list goes before the orders are looked at: that waits for whoever is about to hold its parts.
    session.execute(delete(BundleComponent).where(BundleComponent.bundle_variant_id == bundle_variant_id))
    _refuse_in_use(session, bundle_variant_id)
    session.add_all(
        BundleComponent(bundle_variant_id=bundle_variant_id, component_variant_id=component, quantity=quantity)
        for component, quantity in sorted(components.items())
    )
    session.flush()
    return dict(components)


def _lists(bundle_ids: Iterable[int]) -> Select[BundleComponent]:
    return (
        select(BundleComponent)
        .where(BundleComponent.bundle_variant_id.in_(list(bundle_ids)))
        .order_by(BundleComponent.bundle_variant_id, BundleComponent.component_variant_id)
    )


def _read(session: Session, bundle_ids: Iterable[int], statement: Select[BundleComponent]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {bundle_id: {} for bundle_id in bundle_ids}
    for row in session.scalars(statement):
        found[row.bundle_variant_id][row.component_variant_id] = row.quantity
    return found


def _check_components(session: Session, bundle_variant_id: int, components: Mapping[int, int]) -> None:
    if not components:
        raise InvalidInput("a bundle has at least one part", field="components")
    if bundle_variant_id in components:
        raise InvalidInput("a bundle is not a part of itself", field="components")
    if any(quantity < 1 for quantity in components.values()):
        raise InvalidInput("a bundle has at least one unit of each part", field="components")
    policies = read_policies(session, {bundle_variant_id, *components})
    nested = [component for component in components if policies[component] is InventoryPolicy.BUNDLE]
    if nested:
        raise InvalidInput(f"variant {nested[0]} is a bundle itself: name its parts instead", field="components")


def _refuse_in_use(session: Session, bundle_variant_id: int) -> None:
    if session.scalar(select(exists().where(StockHold.bundle_variant_id == bundle_variant_id))):
        raise Conflict("this bundle was ordered: its parts are fixed; make a new variant for the new list")
    has_stock = exists().where(
        StockLevel.variant_id == bundle_variant_id, or_(StockLevel.on_hand != 0, StockLevel.reserved != 0)
    )
    if session.scalar(select(has_stock)):
        raise Conflict("the variant has stock of its own: a bundle has none; adjust it to nothing first")
    if session.scalar(select(exists().where(BundleComponent.component_variant_id == bundle_variant_id))):
        raise Conflict("the variant is a part of a bundle: it cannot be one itself")
