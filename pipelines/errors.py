"""What can go wrong on the way, each saying what happened and what to do about it."""


class PipelineError(Exception):
    """A run stopped for a reason that a person can act on."""


class ShopUnreachable(PipelineError):
    """The shop's database is not where the settings say, or is not a shop."""


class ContractBroken(PipelineError):
    """The shop's tables and the contracts of `raw` do not match."""


class FullCopyRequired(PipelineError):
    """The journal cannot say what changed since the last run; only copying whole tables is safe."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Run `python -m pipelines refresh --full` to copy the whole shop anew.")


class AuditFailed(PipelineError):
    """A build did not pass its audit; readers stay on the last good snapshot."""


class PublishRefused(PipelineError):
    """A build must not be published; the pointer is unchanged."""


class NothingPublished(PipelineError):
    """There is no published snapshot yet."""
