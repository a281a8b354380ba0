"""The claims and how they are decided: `data/claims.yml`, fixed before the results are seen.

A verdict on a regime that was not produced says nothing. So a row names, beside its criterion, what must have
been shown before the criterion counts: that the arms are what they are called (`regime`), that the instrument or
the networks are not what fails (`control`), that the answer does not turn with twice the steps (`settled`), and by
how many trials the recipes were found (`effort`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from gancore.errors import StudyError
from gancore.files import ROOT, from_user, read_yaml
from gancore.stats import Interval

CLAIMS, REPLACED = ROOT / "data" / "claims.yml", ROOT / "data" / "claims-replaced.yml"
SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE, NOT_TESTED = "supported", "not supported", "inconclusive", "not tested"


@dataclass(frozen=True)
class Requirement:
    """What must be shown: `says` what it is, `at_least` how much of each measure; or why there is `none_needed`."""

    says: str = ""
    at_least: Mapping[str, float] = field(default_factory=dict)
    none_needed: str = ""

    def __post_init__(self) -> None:
        if bool(self.says) == bool(self.none_needed):
            raise TypeError("a requirement says what must be shown, or why none is needed")

    @property
    def asked(self) -> str:
        """The requirement in words."""
        return self.says or f"none needed: {self.none_needed}"

    def unmet(self, measured: Mapping[str, Interval]) -> str:
        """The first measure that falls short, as a clause; empty where none does. NaN falls short."""
        for name, least in self.at_least.items():
            if not measured[name].value >= least:
                return f"{name} is {measured[name].value:.3g}, at least {least:g} is asked"
        return ""


@dataclass(frozen=True)
class Effort:
    """By which trials the recipes were found: a set of `data/trials.yml` and the methods compared, or why none are."""

    trials: str = ""
    methods: Sequence[str] = ()
    none_needed: str = ""


class Judgement(NamedTuple):
    """A verdict, and where it is not the criterion's own: why."""

    verdict: str
    because: str = ""


@dataclass(frozen=True)
class Claim:
    """A row of `data/claims.yml`. `effects` names what is measured, `above` the threshold each must pass.

    `seeds`, `steps` and `sizes` (of the datasets' dimensions, by name) are the least that a verdict may rest on.
    """

    id: str
    source: str
    statement: str
    notebook: str
    measure: str
    criterion: str
    effects: Sequence[str]
    above: float
    seeds: int
    steps: int
    regime: Requirement
    control: Requirement
    settled: Requirement
    effort: Effort
    revision: int = 1
    sizes: Mapping[str, int] = field(default_factory=dict)

    def verdict(self, effects: Mapping[str, Interval]) -> str:
        """Supported if every effect's interval lies above the threshold; not supported if one lies
        below it; inconclusive otherwise. Raises StudyError where the effects are not the claim's."""
        self._same_names("decided by", self.effects, effects)
        if all(effect.low > self.above for effect in effects.values()):
            return SUPPORTED
        if self._below(effects):
            return NOT_SUPPORTED
        return INCONCLUSIVE

    def judged(
        self,
        effects: Mapping[str, Interval],
        regime: Mapping[str, Interval],
        control: Mapping[str, Interval],
        again: Mapping[str, Interval] | None,
    ) -> Judgement:
        """The verdict by criterion, regime, control and, where there is one, the measurement with other steps.

        *Not tested* where a regime or control falls short, or an effect is exactly 0 in every run: what was never
        there cannot move. *Inconclusive* where the answer changes side between the two measurements. Raises
        StudyError where what was measured is not what the row asks for.
        """
        verdict = self.verdict(effects)
        for kind, asked, measured in (("regime", self.regime, regime), ("control", self.control, control)):
            self._same_names(f"held to a {kind} of", asked.at_least, measured)
            if lacking := asked.unmet(measured):
                return Judgement(NOT_TESTED, f"{kind}: {lacking}")
        for name, effect in effects.items():
            if effect.low == effect.high == 0:
                return Judgement(NOT_TESTED, f"nothing to measure: {name} is 0 in every run")
        if again is not None and (name := self._turned(verdict, effects, again)):
            change = f"{name} is {again[name].value:.3g} in the one and {effects[name].value:.3g} in the other"
            return Judgement(INCONCLUSIVE, f"still moving: of two lengths of training, {change}")
        return Judgement(verdict)

    def _below(self, effects: Mapping[str, Interval]) -> list[str]:
        return [name for name, effect in effects.items() if effect.high < self.above]

    def _turned(self, verdict: str, effects: Mapping[str, Interval], again: Mapping[str, Interval]) -> str:
        """An effect that lies on the other side of the threshold when measured again, though the verdict needs it."""
        self._same_names("decided by", self.effects, again)
        if verdict == SUPPORTED:
            return next((name for name in effects if not again[name].value > self.above), "")
        below = self._below(effects)
        stay = [name for name in below if again[name].value < self.above]
        return "" if stay or not below else below[0]

    def _same_names(self, how: str, asked: Sequence[str] | Mapping[str, float], given: Mapping[str, Interval]) -> None:
        if set(asked) != set(given):
            raise StudyError(f"claim {self.id} is {how} {_listed(asked)}, not {_listed(given)}")


def _listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    return ", ".join(names) or "nothing"


REQUIREMENTS = ("regime", "control", "settled")


def load_claims(path: str | Path = CLAIMS) -> dict[str, Claim]:
    """The claims of a file by id. Raises StudyError where it cannot be read, or a row misses a field or has one too
    many."""
    try:
        rows = [_claim(row) for row in read_yaml(from_user(path))]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path} is no file of claims: {error}") from error
    except (TypeError, KeyError) as error:
        raise StudyError(f"{path} has a row with a missing or unknown field: {error}") from error
    return {claim.id: claim for claim in rows}


def _claim(row: Mapping[str, Any]) -> Claim:
    asked = {name: Requirement(**row[name]) for name in REQUIREMENTS}
    return Claim(**row | asked | {"effort": Effort(**row["effort"])})


def load_replaced(path: Path = REPLACED) -> list[dict[str, Any]]:
    """The rows that a revision has replaced, as they were, each with its `verdict`, its `effects` and the `reason`."""
    return read_yaml(path)


def read_verdicts(folder: Path) -> list[dict[str, Any]]:
    """The stored verdicts of a folder, in the order of `data/claims.yml`."""
    paths = [folder / f"{claim}.json" for claim in load_claims()]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def as_line(verdict: Mapping[str, Any]) -> str:
    """One verdict as a line of text."""
    effects = "; ".join(f"{e['name']} {Interval(e['value'], e['low'], e['high'])}" for e in verdict["effects"])
    because = f" ({verdict['because']})" if verdict.get("because") else ""
    return f"{verdict['claim']:10} {verdict['verdict']:14} {effects}{because}; {verdict['seeds']} seeds"
