import json
from dataclasses import replace

import pytest

from gancore.claims.readme import README, VERDICTS, filled
from gancore.claims.rows import (
    CLAIMS,
    INCONCLUSIVE,
    NOT_SUPPORTED,
    NOT_TESTED,
    REQUIREMENTS,
    SUPPORTED,
    Requirement,
    as_line,
    load_claims,
    load_replaced,
    read_verdicts,
)
from gancore.claims.trials import Trials, counted, load_trials
from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.notebooks import numbers
from gancore.stats import Interval

NAN = float("nan")
NONE_NEEDED = Requirement(none_needed="the test is about something else")


def number(value):
    return Interval(value, value, value)


@pytest.fixture
def claim():
    """A claim of two effects that must lie above 0, with a regime and nothing else to show."""
    regime = Requirement(says="the runs have collapsed", at_least={"collapsed": 0.9})
    two = ["fall in energy distance", "gain in arc coverage"]
    return replace(load_claims()["moons-2"], effects=two, regime=regime, control=NONE_NEEDED, settled=NONE_NEEDED)


def effects(claim, *ends):
    """Intervals with these ends and the values in their middles, for the claim's effects."""
    return {name: Interval(sum(pair) / 2, *pair) for name, pair in zip(claim.effects, ends, strict=True)}


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
def test_a_verdict_follows_from_where_the_intervals_lie(claim, energy, coverage, verdict):
    assert claim.verdict(effects(claim, energy, coverage)) == verdict
    assert claim.judged(effects(claim, energy, coverage), {"collapsed": number(1)}, {}, None) == (verdict, "")


@pytest.mark.parametrize("share", [0.89, 0.0, NAN])
def test_a_regime_that_was_not_produced_leaves_a_claim_untested_whatever_its_effects(claim, share):
    for low in (0.1, -0.3):
        found = claim.judged(effects(claim, (low, 0.3), (0.1, 0.2)), {"collapsed": number(share)}, {}, None)
        assert found == (NOT_TESTED, f"regime: collapsed is {share:.3g}, at least 0.9 is asked")


def test_a_control_that_fails_leaves_a_claim_untested(claim):
    controlled = replace(claim, control=Requirement(says="it can be drawn", at_least={"drawn": 0.8}))
    given = effects(claim, (0.1, 0.3), (0.1, 0.2)), {"collapsed": number(1)}
    assert controlled.judged(*given, {"drawn": number(0.8)}, None).verdict == SUPPORTED
    assert controlled.judged(*given, {"drawn": number(0.79)}, None).verdict == NOT_TESTED


def test_an_effect_that_is_0_in_every_run_is_not_tested(claim):
    found = claim.judged(effects(claim, (0.0, 0.0), (0.1, 0.2)), {"collapsed": number(1)}, {}, None)
    assert found == (NOT_TESTED, f"nothing to measure: {claim.effects[0]} is 0 in every run")
    assert (
        claim.judged(effects(claim, (-0.1, 0.0), (0.1, 0.2)), {"collapsed": number(1)}, {}, None).verdict != NOT_TESTED
    )


@pytest.mark.parametrize(
    ("now", "then", "verdict"),
    [
        (((0.1, 0.3), (0.1, 0.2)), ((0.0, 0.1), (0.2, 0.3)), SUPPORTED),  # each still on its side
        (((0.1, 0.3), (0.1, 0.2)), ((-0.3, 0.1), (0.2, 0.3)), INCONCLUSIVE),  # one that was needed has turned
        (((-0.3, -0.1), (0.1, 0.2)), ((-0.1, 0.05), (0.1, 0.2)), NOT_SUPPORTED),
        (((-0.3, -0.1), (0.1, 0.2)), ((0.05, 0.2), (0.1, 0.2)), INCONCLUSIVE),
        (((-0.3, -0.1), (-0.3, -0.1)), ((0.05, 0.2), (-0.3, -0.1)), NOT_SUPPORTED),  # the other one is enough
        (((-0.3, -0.1), (0.1, 0.2)), ((-0.3, -0.1), (-0.2, -0.1)), NOT_SUPPORTED),  # what was not needed may turn
    ],
)
def test_an_answer_that_changes_side_with_the_length_of_training_is_still_moving(claim, now, then, verdict):
    found = claim.judged(effects(claim, *now), {"collapsed": number(1)}, {}, effects(claim, *then))
    assert found.verdict == verdict
    assert found.because.startswith("still moving") == (verdict == INCONCLUSIVE)


def test_what_was_measured_must_be_what_the_row_names(claim):
    good = effects(claim, (0.1, 0.3), (0.1, 0.2))
    with pytest.raises(StudyError, match="moons-2 is decided by fall in energy distance"):
        claim.verdict({"something else": number(1)})
    for regime, control, again, sentence in (
        ({}, {}, None, "held to a regime of collapsed, not nothing"),
        ({"collapsed": number(1)}, {"more": number(1)}, None, "held to a control of nothing, not more"),
        ({"collapsed": number(1)}, {}, {"something else": number(1)}, "decided by fall in energy distance"),
    ):
        with pytest.raises(StudyError, match=sentence):
            claim.judged(good, regime, control, again)


ROW = CLAIMS.read_text().split("\n\n- id: ")[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  source: moons\n", "  source: moons\n  colour: red\n"),
        ("  source: moons\n", ""),
        ("  settled:\n", "  setled:\n"),
        ("    says: 'The measure", "    sayz: 'The measure"),
        ("    none_needed: The claim", "    says: also\n    none_needed: The claim"),
    ],
)
def test_a_row_with_a_missing_or_unknown_field_is_refused_at_every_depth(tmp_path, old, new):
    path = tmp_path / "claims.yml"
    path.write_text(f"- id: {ROW}")
    assert list(load_claims(path)) == ["moons-1"]
    path.write_text(f"- id: {ROW.replace(old, new)}")
    assert ROW.replace(old, new) != ROW
    with pytest.raises(StudyError, match="missing or unknown field"):
        load_claims(path)


def test_every_row_says_what_must_be_shown_first_or_why_nothing_need_be():
    for claim in load_claims().values():
        for name in REQUIREMENTS:
            asked = getattr(claim, name)
            assert asked.says or len(asked.none_needed.split()) > 5
            assert not asked.at_least or asked.says
        assert claim.effort.trials or claim.effort.none_needed


def test_every_replaced_row_stays_readable_with_its_verdict_and_the_reason():
    replaced = load_replaced()
    for claim in load_claims().values():
        rows = [row for row in replaced if row["id"] == claim.id]
        assert [row["revision"] for row in rows] == list(range(1, claim.revision))
        for row in rows:
            assert row["verdict"] in (SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE, NOT_TESTED)
            assert set(row["measured"]) == set(row["effects"]) and len(row["reason"].split()) > 10
            assert {"statement", "measure", "criterion", "above", "seeds", "steps"} <= set(row)


def test_trials_are_counted_by_method_and_those_that_were_not_kept_stay_unknown():
    kept = {"varied": "rate", "seeds": "1000", "steps": "100", "seen": "it runs"}
    trials = [Trials("s", "a", 2, **kept), Trials("s", "a", 3, **kept), Trials("s", "b", None, **kept)]
    effort = replace(load_claims()["forget-1"].effort, trials="s", methods=["a", "b", "c"])
    assert counted(effort, trials) == {"a": 5, "b": None, "c": 0}
    with pytest.raises(StudyError, match="no trials of the search 's'"):
        counted(effort, [])


def test_every_search_that_a_claim_names_has_trials_and_every_trial_says_what_was_seen():
    trials = load_trials()
    for claim in load_claims().values():
        assert set(counted(claim.effort, trials)) == set(claim.effort.methods)
    assert all(trial.varied and trial.seen and trial.seeds for trial in trials)


def test_every_stored_verdict_follows_from_what_it_stores_and_the_committed_claim():
    stored = read_verdicts(ROOT / "data" / "results" / "verdicts")
    assert {verdict["notebook"] for verdict in stored} == set(numbers())
    for verdict in stored:
        claim = load_claims()[verdict["claim"]]
        again = measured(verdict["settled"]["again"]) or None
        shown = [measured(verdict[name]["measured"]) for name in ("regime", "control")]
        found = claim.judged(measured(verdict["effects"]), *shown, again)
        assert (verdict["verdict"], verdict["because"]) == found
        assert (again is None) == bool(claim.settled.none_needed)
        assert (verdict["revision"], verdict["criterion"]) == (claim.revision, claim.criterion)
        assert (verdict["statement"], verdict["profile"]) == (claim.statement, "paper")
        assert verdict["effort"] == counted(claim.effort, load_trials())
        assert verdict["seeds"] == min(arm["count"] for arm in verdict["rests_on"])
        assert verdict["claim"] in as_line(verdict) and verdict["verdict"] in as_line(verdict)
        assert json.loads(json.dumps(verdict)) == verdict


def measured(entries):
    """What a verdict stores as intervals by name."""
    return {e["name"]: Interval(e["value"], e["low"], e["high"]) for e in entries}


def test_the_readmes_tables_are_those_of_the_stored_results():
    assert filled(README.read_text()) == README.read_text()
    for verdict in read_verdicts(VERDICTS):
        assert f"{verdict['claim']}, revision {verdict['revision']}" in README.read_text()
        assert verdict["because"] in README.read_text()


@pytest.mark.parametrize("content", [None, b"- {id: [", b"\xff\xfe- id"])
def test_a_file_of_claims_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "claims.yml").write_bytes(content)
    with pytest.raises(StudyError, match=r"claims\.yml is no file of claims"):
        load_claims(tmp_path / "claims.yml")
