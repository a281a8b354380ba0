import json

import pytest

from gancore.claims import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED, as_line, load_claims, read_verdicts
from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.notebooks import numbers
from gancore.readme import README, VERDICTS, filled
from gancore.stats import Interval

NAN = float("nan")


@pytest.mark.parametrize(
    ("energy", "coverage", "verdict"),
    [
        ((0.1, 0.3), (0.01, 0.2), SUPPORTED),
        ((0.1, 0.3), (-0.1, 0.2), INCONCLUSIVE),
        ((0.1, 0.3), (-0.2, -0.1), NOT_SUPPORTED),
        ((-0.3, -0.1), (-0.1, 0.1), NOT_SUPPORTED),
        ((0.0, 0.3), (0.1, 0.2), INCONCLUSIVE),
        ((NAN, NAN), (0.1, 0.2), INCONCLUSIVE),
    ],
)
def test_a_verdict_follows_from_where_the_intervals_lie(energy, coverage, verdict):
    claim = load_claims()["moons-2"]
    effects = {name: Interval(0, *ends) for name, ends in zip(claim.effects, (energy, coverage), strict=True)}
    assert claim.verdict(effects) == verdict


def test_effects_that_are_not_the_claims_are_refused():
    with pytest.raises(StudyError, match="decided by"):
        load_claims()["moons-1"].verdict({"something else": Interval(1, 1, 1)})


def test_a_row_with_an_unknown_field_is_refused(tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text("- {id: a, effects: [b], colour: red}\n")
    with pytest.raises(StudyError, match="missing or unknown field"):
        load_claims(path)


def test_every_stored_verdict_follows_from_its_stored_effects_and_the_committed_claim():
    stored = read_verdicts(ROOT / "data" / "results" / "verdicts")
    assert {verdict["notebook"] for verdict in stored} == set(numbers())
    for verdict in stored:
        claim = load_claims()[verdict["claim"]]
        effects = {e["name"]: Interval(e["value"], e["low"], e["high"]) for e in verdict["effects"]}
        assert verdict["verdict"] == claim.verdict(effects)
        assert (verdict["statement"], verdict["criterion"]) == (claim.statement, claim.criterion)
        assert verdict["profile"] == "paper" and verdict["as_committed"]
        assert verdict["claim"] in as_line(verdict)
        assert json.loads(json.dumps(verdict)) == verdict


def test_the_readmes_tables_are_those_of_the_stored_results():
    assert filled(README.read_text()) == README.read_text()
    assert all(verdict["statement"] in README.read_text() for verdict in read_verdicts(VERDICTS))
