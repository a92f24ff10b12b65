"""A register of typed plug-ins by their `kind`: conditions and actions are both kept in one."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict


class Plugin(BaseModel):
    """Something that a rule names by `kind` and gives arguments to; unknown arguments are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str]

    @property
    def args(self) -> dict[str, Any]:
        """The arguments as JSON; sets are sorted, so that equal arguments have equal text."""
        return {name: _plain(value) for name, value in self.model_dump(exclude_defaults=True).items()}


PluginType = TypeVar("PluginType", bound=Plugin)


class Register(Generic[PluginType]):
    """The plug-ins of one sort."""

    def __init__(self, sort: str) -> None:
        self._sort = sort
        self._known: dict[str, type[PluginType]] = {}

    def add(self, plugin: type[PluginType]) -> type[PluginType]:
        """Register a plug-in, as decorator. Raises ValueError for a second one of its kind."""
        if plugin.kind in self._known:
            raise ValueError(f"there are two {self._sort}s of the kind {plugin.kind}")
        self._known[plugin.kind] = plugin
        return plugin

    def parse(self, kind: str, args: Mapping[str, Any]) -> PluginType:
        """The plug-in with its arguments. Raises KeyError for an unknown kind, ValidationError for bad arguments."""
        return self._known[kind].model_validate(dict(args))

    @property
    def kinds(self) -> list[str]:
        """Every kind that a rule may name."""
        return sorted(self._known)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
