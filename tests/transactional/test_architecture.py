"""The shop's own rules of construction, read from the source: whoever breaks one is named with file and line."""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from tests.support.web import settings_in
from transactional.app import create_app
from transactional.core.db import make_engine
from transactional.core.deps import read_session, unit_of_work
from transactional.core.uow import Database

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "transactional"
DOMAINS = {folder.name for folder in SHOP.iterdir() if (folder / "__init__.py").exists()} - {"core", "migrations"}

# They write whole histories by set-based statements, so they need the tables themselves and the rules behind them.
BULK_WRITERS = {"importing", "simulation"}
# What a domain shows to the others.
OPEN_ROOMS = {"service", "events"}
MONEY_DOMAINS = {"affiliates", "cart", "checkout", "orders", "promotions", "loyalty", "returns"}
MACHINE_CLOCKS = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"}


@cache
def sources(under: Path = SHOP) -> Sequence[tuple[Path, ast.Module]]:
    paths = [path for path in sorted(under.rglob("*.py")) if "migrations" not in path.parts]
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of its name: `session.commit()` gives `commit`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                yield function.attr, node
            elif isinstance(function, ast.Name):
                yield function.id, node


def imports(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every module of the shop that a file imports when it runs; imports for type checkers alone do not count."""
    for_types = {id(inner) for node in ast.walk(tree) if _for_types_only(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if is_module(whole) else node.module), node


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_only_the_unit_of_work_commits() -> None:
    found = [
        place(path, call)
        for path, tree in sources()
        if path != SHOP / "core" / "uow.py"
        for name, call in calls(tree)
        if name == "commit"
    ]
    assert not found


def test_every_session_of_a_request_ends_before_the_answer_leaves(tmp_path: Path) -> None:
    app = create_app(settings_in(tmp_path), Database(make_engine("sqlite://")))
    late = [
        f"{context.path}: {dependant.call}"
        for context in iter_route_contexts(app.routes)
        for dependant in _all_dependants(getattr(context, "dependant", None))
        if dependant.call in {unit_of_work, read_session} and dependant.scope != "function"
    ]
    assert not late


def _all_dependants(dependant: Dependant | None) -> Iterator[Dependant]:
    for inner in dependant.dependencies if dependant else ():
        yield inner
        yield from _all_dependants(inner)


def test_sessions_are_asked_for_in_one_place() -> None:
    """Handlers take `WriteSession` and `ReadSession`; a `Depends` of their own could forget the scope."""
    found = [
        place(path, call)
        for path, tree in sources()
        if path != SHOP / "core" / "deps.py"
        for name, call in calls(tree)
        if name == "Depends" and any(_names(argument) & {"unit_of_work", "read_session"} for argument in call.args)
    ]
    assert not found


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


def test_nobody_but_the_clock_asks_the_machine_for_the_time() -> None:
    found = []
    for path, tree in sources():
        for name, call in calls(tree):
            machine = isinstance(call.func, ast.Attribute) and _names(call.func.value) & {"datetime", "date"}
            zoned = name == "fromtimestamp" and len(call.args) + len(call.keywords) == 2
            if machine and name in MACHINE_CLOCKS and not zoned and path != SHOP / "core" / "clock.py":
                found.append(place(path, call))
    assert not found


def test_no_datetime_is_made_without_a_zone() -> None:
    found = [
        place(path, call)
        for path, tree in sources()
        for name, call in calls(tree)
        if name == "datetime" and isinstance(call.func, ast.Name) and len(call.args) < 8
        if not any(keyword.arg == "tzinfo" or keyword.arg is None for keyword in call.keywords)
    ]
    assert not found


def test_no_float_comes_near_money() -> None:
    files = [(SHOP / "core" / "money.py", ast.parse((SHOP / "core" / "money.py").read_text(encoding="utf-8")))]
    files += [found for domain in sorted(MONEY_DOMAINS) for found in sources(SHOP / domain)]
    found = [
        place(path, node)
        for path, tree in files
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and path.name == "money.py" and _of_ints(node))
    ]
    assert not found


def _of_ints(node: ast.BinOp) -> bool:
    """A division whose operands name no Decimal: it would make a float."""
    return "Decimal" not in _names(node)


def test_domains_meet_only_through_their_services_and_events() -> None:
    found = []
    for path, tree in sources():
        own = path.relative_to(SHOP).parts[0]
        if own not in DOMAINS:
            continue
        for module, node in imports(tree):
            _, _, inside = module.partition("transactional.")
            domain, _, room = inside.partition(".")
            foreign = domain in DOMAINS and domain != own
            closed = room == "routes" if own in BULK_WRITERS else room not in OPEN_ROOMS
            if foreign and room and closed:
                found.append(f"{place(path, node)} imports {module}")
    assert not found


def test_the_core_knows_no_domain() -> None:
    found = [
        f"{place(path, node)} imports {module}"
        for path, tree in sources(SHOP / "core")
        for module, node in imports(tree)
        if module.startswith("transactional.") and module.split(".")[1] in DOMAINS
    ]
    assert not found


def test_imports_have_no_cycle() -> None:
    """Not even one that a late import inside a function hides."""
    graph = {
        module_name(path): {module for module, _ in imports(tree) if module.startswith("transactional.")}
        for path, tree in sources()
    }
    for module, needed in graph.items():
        needed.discard(module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_routes_hold_no_query() -> None:
    found = [
        place(path, call)
        for path, tree in sources()
        if path.name == "routes.py"
        for name, call in calls(tree)
        if name in {"select", "execute", "scalar", "scalars", "flush", "get_one", "text"}
        or (name in {"add", "add_all", "get", "delete"} and _is_session(call))
    ]
    assert not found


def _is_session(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "session"
    )


def test_nothing_is_printed_but_by_commands() -> None:
    found = [
        place(path, call)
        for path, tree in sources()
        if path.name not in {"__main__.py", "cli.py"}
        for name, call in calls(tree)
        if name == "print" and isinstance(call.func, ast.Name)
    ]
    assert not found
