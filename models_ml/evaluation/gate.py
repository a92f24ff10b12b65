"""The gate: which trained model may take the `champion` alias.

Models are compared as recipes (kind and settings): the challenger, the reigning champion and the floor are
all fitted on what was known before one hold-out window and judged in it. The champion's stored artefact
itself was usually fitted through a part of that window, which would flatter it.
"""

from __future__ import annotations

from dataclasses import dataclass

from models_ml.evaluation.estimate import Metric


@dataclass(frozen=True, slots=True)
class Trial:
    """What a challenger, the champion and the floor achieved on the same hold-out.

    The gains are paired differences to the challenger, turned so that positive means "the challenger is
    better". `newer_data`: the challenger's data end later than the champion's. `same_recipe`: both have the
    same kind and settings, so the challenge is only a refit.
    """

    challenger: Metric
    higher_is_better: bool
    floor: Metric | None = None
    gain_over_floor: Metric | None = None
    champion: Metric | None = None
    gain_over_champion: Metric | None = None
    same_recipe: bool = False
    newer_data: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to promote, and why, in sentences for the run's record."""

    promote: bool
    reasons: tuple[str, ...]


def decide(trial: Trial) -> Decision:
    """Promote the challenger only if it is better than what it would replace.

    A first champion must beat the floor; later ones must beat the champion, and the floor as well, so that a
    bad start cannot be handed on. A refit of the champion's own recipe is no challenge: it takes over when
    its data are newer, for otherwise a good recipe would grow stale, and is refused when they are not.
    """
    floor_ok, floor_reason = _against("the floor", trial.gain_over_floor, trial.floor, trial.challenger)
    if trial.champion is None:
        if trial.floor is None:
            return Decision(True, ("no champion and no floor to beat: the first model of its name",))
        return Decision(floor_ok, ("there is no champion yet", floor_reason))
    if trial.same_recipe:
        if not trial.newer_data:
            return Decision(False, ("same recipe as the champion on no newer data: nothing to gain",))
        return Decision(floor_ok, ("the champion's recipe refitted on newer data", floor_reason))
    ok, reason = _against("the champion", trial.gain_over_champion, trial.champion, trial.challenger)
    return Decision(ok and floor_ok, (reason, floor_reason))


def _against(who: str, gain: Metric | None, other: Metric | None, challenger: Metric) -> tuple[bool, str]:
    if gain is None or other is None:
        return True, f"{who} was not measured"
    better = gain.value > 0
    interval = "" if gain.low is None or gain.high is None else f", 95 % [{gain.low:+.4f}, {gain.high:+.4f}]"
    verb = "better than" if better else "not better than"
    sentence = (
        f"{challenger.name} {challenger.value:.4f} is {verb} {who}'s {other.value:.4f} "
        f"(gain {gain.value:+.4f}{interval}, n {challenger.n})"
    )
    return better, sentence
