"""What answers are made from: one immutable value, replaced whole, so that no answer mixes two builds."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from serving.champions import Champion, RegistryError
from serving.published import Pointer, SnapshotError, load_snapshot, read_pointer
from serving.settings import Settings
from serving.snapshot import Snapshot

log = logging.getLogger(__name__)


class ModelSource(Protocol):
    """Where champions come from; `serving.champions.Registry` outside of tests."""

    def fingerprint(self) -> object | None:
        """Changes whenever the store does; None: only asking tells."""
        ...

    def versions(self) -> dict[str, str]:
        """The champions' versions by model name; raises RegistryError."""
        ...

    def champion(self, name: str, version: str) -> Champion:
        """One loaded version; raises RegistryError."""
        ...


@dataclass(frozen=True, slots=True)
class State:
    """The snapshot and the champions in memory, and what could not be had, by its name."""

    snapshot: Snapshot | None = None
    champions: Mapping[str, Champion] = field(default_factory=lambda: MappingProxyType({}))
    problems: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Keeper:
    """Holds the present state and renews it; `state` may be read from any thread at any time."""

    def __init__(self, settings: Settings, models: ModelSource) -> None:
        self._settings = settings
        self._models = models
        self._seen_pointer: Pointer | None = None
        self._seen_models: object | None = None
        self.state = State()
        self.looked = False
        """Whether pointer and registry were looked at yet."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look at once and then every `poll_seconds`, in a thread."""
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the look under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def refresh(self) -> None:
        """Take up whatever changed. What cannot be loaded is logged and named in the state; the old one stays."""
        problems = dict(self.state.problems)
        snapshot = self._snapshot(problems)
        champions = self._champions(problems)
        self.state = replace(self.state, snapshot=snapshot, champions=champions, problems=MappingProxyType(problems))
        self.looked = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except Exception:
                log.exception("looking for news failed")
            self._stopping.wait(self._settings.poll_seconds)

    def _snapshot(self, problems: dict[str, str]) -> Snapshot | None:
        try:
            pointer = read_pointer(self._settings.published)
            if pointer is None:
                return self.state.snapshot
            loaded = self.state.snapshot if pointer == self._seen_pointer else load_snapshot(pointer)
        except SnapshotError as error:
            _note(problems, "snapshot", str(error))
            return self.state.snapshot
        problems.pop("snapshot", None)
        if pointer != self._seen_pointer:
            log.info("snapshot %s taken up", pointer.build_id)
        self._seen_pointer = pointer
        return loaded

    def _champions(self, problems: dict[str, str]) -> Mapping[str, Champion]:
        fingerprint = self._models.fingerprint()
        if fingerprint is not None and fingerprint == self._seen_models:
            return self.state.champions
        try:
            wanted = self._models.versions()
        except RegistryError as error:
            _note(problems, "registry", str(error))
            return self.state.champions
        problems.pop("registry", None)
        champions = {name: c for name, v in wanted.items() if (c := self._loaded(name, v, problems))}
        # What could not be loaded is tried again at the next look.
        complete = all(name in champions and champions[name].version == v for name, v in wanted.items())
        self._seen_models = fingerprint if complete else None
        return MappingProxyType(champions)

    def _loaded(self, name: str, version: str, problems: dict[str, str]) -> Champion | None:
        """The wanted version, or the one in use when it cannot be had."""
        present = self.state.champions.get(name)
        if present is not None and present.version == version:
            problems.pop(name, None)
            return present
        try:
            champion = self._models.champion(name, version)
        except RegistryError as error:
            _note(problems, name, str(error))
            return present
        problems.pop(name, None)
        log.info("champion %s version %s taken up", name, version)
        return champion


def _note(problems: dict[str, str], what: str, message: str) -> None:
    if problems.get(what) != message:  # once, not twice a second
        log.warning("%s: %s", what, message)
    problems[what] = message
