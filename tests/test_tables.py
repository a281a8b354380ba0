"""What the tables say of a verdict."""

import pytest

from gancore.claims.tables import decided, effects_of, rests_on, shown_first, verdicts

EFFECT = {"name": "rate", "value": 0.5, "low": 0.25, "high": 0.75}
NOTHING = {"asked": "none needed: a test", "at_least": {}, "measured": []}
VERDICT = {
    "claim": "moons-1",
    "revision": 3,
    "statement": "It collapses.",
    "verdict": "supported",
    "because": "",
    "effects": [EFFECT],
    "above": 0,
    "regime": {**NOTHING, "measured": [{"name": "collapsed", "value": 0.9, "low": 0.8, "high": 1}]},
    "control": NOTHING,
    "settled": {"asked": "", "again": [EFFECT | {"value": 0.375}]},
    "effort": {"a": 3, "b": 3},
    "rests_on": [{"count": 4, "steps": 2_000}, {"count": 32, "steps": 10_000}],
    "short": [],
    "as_committed": True,
    "profile": "paper",
}


def test_a_row_says_the_revision_the_effect_at_both_lengths_and_what_it_rests_on():
    row = verdicts([VERDICT]).splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == "moons-1, revision 3" and cells[2] == "rate: 0.5 [0.25, 0.75]; 0.375"
    assert cells[5] == "4 to 32 seeds, 2,000 to 10,000 steps" and cells[6] == "**supported**"
    assert effects_of(VERDICT) == "rate: 0.5 [0.25, 0.75]"
    assert rests_on(VERDICT | {"rests_on": VERDICT["rests_on"][:1]}) == "4 seeds, 2,000 steps"


@pytest.mark.parametrize(
    ("effort", "said"),
    [
        ({"a": 3, "b": 3}, "trials: a 3, b 3"),
        ({"a": 3, "b": 0}, "trials, not equally many: a 3, b 0"),
        ({"a": 3, "b": None}, "trials: not kept"),
    ],
)
def test_trials_are_told_with_whether_the_methods_had_equally_many(effort, said):
    assert shown_first(VERDICT | {"effort": effort}) == f"regime: collapsed 0.9<br>{said}"
    assert shown_first(VERDICT | {"effort": {}}) == "regime: collapsed 0.9"


def test_a_verdict_that_is_not_the_criterions_own_or_on_too_little_says_why():
    short = {"as_committed": False, "short": ["a has 3 of 4 seeds", "b has 1 of 4 seeds", "c has 2 of 4 seeds"]}
    named = "indicative only: a has 3 of 4 seeds; b has 1 of 4 seeds and 1 more"
    assert decided(VERDICT | {"because": "control: too low"}) == "**supported**<br>control: too low"
    assert decided(VERDICT | short) == f"**supported**<br>{named}"
    assert decided(VERDICT | short | {"profile": "quick"}) == f"**supported**<br>profile quick, {named}"
