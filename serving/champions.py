"""The champion models: which versions carry the alias, and their artefacts from MLflow."""

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from filelock import FileLock

from models_ml.artifacts import ArtifactError, load
from models_ml.recommend.protocol import Recommender

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

ALIAS = "champion"
MODELS = ("discover", "buy_again", "bought_together", "similar", "popularity")
"""The registered models that serving answers from; the registry may hold others."""

_SQLITE = "sqlite:///"
_OPENING_SECONDS = 60.0


class RegistryError(Exception):
    """MLflow does not answer, or a champion's artefact cannot be loaded; the message says which."""


@dataclass(frozen=True, slots=True)
class Champion:
    """A loaded champion."""

    name: str
    version: str
    model: Recommender


class Registry:
    """Reads champions from one MLflow store. Not for several threads at once."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: MlflowClient | None = None

    def fingerprint(self) -> object | None:
        """Something cheap that changes whenever the store does, or None where only asking would tell.

        For SQLite the sizes and times of its files; a file that is not there yet is a fingerprint as well.
        """
        file = self._store_file()
        if file is None:
            return None
        return tuple(_stat(Path(f"{file}{suffix}")) for suffix in ("", "-wal"))

    def versions(self) -> dict[str, str]:
        """The version that carries the alias, by model name; models without a champion are left out.

        Raises RegistryError when the store cannot be read.
        """
        file = self._store_file()
        if file is not None and not file.exists():
            # Asking would create the store, and two processes that create one at the same time break it.
            return {}
        try:
            with self._opening(file):
                found = self._connected().search_registered_models(max_results=1000)
        except Exception as error:
            raise RegistryError(f"{self._uri}: {error}") from error
        aliases: Mapping[str, Any] = {model.name: model.aliases for model in found}
        return {name: str(aliases[name][ALIAS]) for name in MODELS if ALIAS in aliases.get(name, {})}

    def champion(self, name: str, version: str) -> Champion:
        """Load one version. Raises RegistryError when its artefact is missing, broken or no recommender."""
        try:
            model = load(self._artifact(name, version))
        except ArtifactError as error:
            raise RegistryError(f"{name} {version}: {error}") from error
        except Exception as error:
            raise RegistryError(f"{name} {version}: cannot be loaded: {error!r}") from error
        if not isinstance(model, Recommender):
            raise RegistryError(f"{name} {version}: a {type(model).__name__} recommends nothing")
        return Champion(name, version, model)

    def _artifact(self, name: str, version: str) -> Path:
        from mlflow.artifacts import download_artifacts  # noqa: PLC0415  see `_connected`

        uri = self._connected().get_model_version_download_uri(name, version)
        return Path(download_artifacts(artifact_uri=uri, tracking_uri=self._uri))

    def _connected(self) -> "MlflowClient":
        if self._client is None:
            os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
            # MLflow takes seconds to import: in the watcher's thread, so that the process answers /health meanwhile.
            from mlflow import MlflowClient  # noqa: PLC0415

            self._client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        return self._client

    def _opening(self, file: Path | None) -> AbstractContextManager[object]:
        """The lock under which training creates the store: opening one that is half made would break both."""
        if file is None or self._client is not None:
            return nullcontext()
        return FileLock(file.parent / ".init.lock", timeout=_OPENING_SECONDS)

    def _store_file(self) -> Path | None:
        if not self._uri.startswith(_SQLITE):
            return None
        return Path(urlsplit(self._uri.removeprefix(_SQLITE)).path)


def _stat(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
