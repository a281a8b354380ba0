"""The claims and how they are decided: `data/claims.yml`, fixed before the results are seen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.stats import Interval

CLAIMS = ROOT / "data" / "claims.yml"
SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"


@dataclass(frozen=True)
class Claim:
    """A row of `data/claims.yml`. `effects` names what is measured, `above` the threshold each must pass."""

    id: str
    source: str
    statement: str
    notebook: str
    measure: str
    criterion: str
    effects: tuple[str, ...]
    above: float
    seeds: int
    steps: int

    def verdict(self, effects: Mapping[str, Interval]) -> str:
        """Supported if every effect's interval lies above the threshold; not supported if one lies
        below it; inconclusive otherwise. Raises StudyError where the effects are not the claim's."""
        if set(effects) != set(self.effects):
            raise StudyError(f"claim {self.id} is decided by {', '.join(self.effects)}, not by {', '.join(effects)}")
        if all(effect.low > self.above for effect in effects.values()):
            return SUPPORTED
        if any(effect.high < self.above for effect in effects.values()):
            return NOT_SUPPORTED
        return INCONCLUSIVE


def load_claims(path: Path = CLAIMS) -> dict[str, Claim]:
    """The claims by id. Raises StudyError where a row misses a field or has one too many."""
    try:
        rows = [Claim(**row | {"effects": tuple(row["effects"])}) for row in yaml.safe_load(path.read_text())]
    except (TypeError, KeyError) as error:
        raise StudyError(f"{path} has a row with a missing or unknown field: {error}") from error
    return {claim.id: claim for claim in rows}


def read_verdicts(folder: Path) -> list[dict[str, Any]]:
    """The stored verdicts of a folder, in the order of `data/claims.yml`."""
    paths = [folder / f"{claim}.json" for claim in load_claims()]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def as_line(verdict: Mapping[str, Any]) -> str:
    """One verdict as a line of text."""
    effects = "; ".join(f"{e['name']} {Interval(e['value'], e['low'], e['high'])}" for e in verdict["effects"])
    return f"{verdict['claim']:10} {verdict['verdict']:14} {effects} ({verdict['seeds']} seeds)"
