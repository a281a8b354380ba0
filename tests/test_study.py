"""What a notebook meets: missing runs, figures, verdicts, and the commands around it."""

import json
import re
import subprocess
import sys

import pytest
import yaml
from arms import moons
from matplotlib.figure import Figure

from gancore import stats
from gancore.__main__ import main
from gancore.claims.rows import CLAIMS, load_claims
from gancore.errors import StudyError
from gancore.files import ROOT
from gancore.study.animation import scrubber
from gancore.study.results import provenance_of
from gancore.study.study import Study
from gancore.study.work import Piece, train_piece

SIZES = {name: {"n_seeds": 2, "steps": 20} for name in ("smoke", "quick", "paper")}
ARMS = {"z2": moons(steps=20, observe={"measures": {"times": 2, "points": 30}})}


@pytest.fixture
def open_study(tmp_path, monkeypatch):
    monkeypatch.setenv("GANCORE_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("GANCORE_PROGRESS", "")
    parameters = {
        "profile": "quick",
        "first_seed": 0,
        "n_seeds": None,
        "steps": None,
        "device": "cpu",
        "share": "1/1",
        "train": False,
        "results": str(tmp_path / "results"),
    }
    return lambda **change: Study("01", parameters | change, SIZES)


def a_figure():
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [1, 0])
    return figure


def test_a_missing_stored_run_stops_with_the_command_that_trains_it(open_study):
    study = open_study(profile="paper")
    with pytest.raises(StudyError, match=r"no stored runs for z2 .* `make study PROFILE=paper NOTEBOOKS=01` trains"):
        study.runs(ARMS)
    assert not study.store.folder.exists()


def test_profile_paper_trains_when_told_to_and_then_reads(open_study):
    trained = open_study(profile="paper", train=True).runs(ARMS)
    read = open_study(profile="paper").runs(ARMS)
    assert trained["z2"].identical(read["z2"])


def test_two_shares_leave_what_one_study_reads(open_study):
    arms = {f"z{d}": ARMS["z2"] | {"latent": d} for d in (1, 2, 3)}
    assert all(open_study(share=f"{i}/2").runs(arms) == {} for i in (1, 2))
    stored = set(open_study().store.folder.iterdir())
    assert set(open_study().runs(arms)) == set(arms)
    assert set(open_study().store.folder.iterdir()) == stored


def test_results_that_cannot_be_written_are_noticed_before_training(open_study, tmp_path):
    (tmp_path / "results").write_text("in the way")
    with pytest.raises(StudyError, match="cannot be written"):
        open_study().runs(ARMS)


def test_a_finished_piece_leaves_no_checkpoint(open_study, tmp_path):
    train_piece(Piece("z2", ARMS["z2"], range(2)), open_study().store, open_study().device, tmp_path / "checkpoints")
    assert not list(tmp_path.glob("checkpoints/*"))


def test_a_figure_is_the_same_bits_each_time_and_carries_its_description(open_study):
    study = open_study()
    folder = study.build / "figures" / "01"
    shown = study.figure(a_figure(), "line", 'a "falling" line')
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    study.figure(a_figure(), "line", "a falling line")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert set(first) == {"line.svg", "line.pdf"}
    assert 'alt="a &quot;falling&quot; line"' in shown.data


def test_a_figure_of_the_stored_results_leads_to_its_files_and_to_these(open_study):
    assert "href" not in open_study().figure(a_figure(), "line", "a line").data  # trained here, or stored elsewhere
    study = open_study(profile="paper", results="auto")
    for dense, kind in ((False, "svg"), (True, "png")):
        shown = study.figure(a_figure(), "line", "a line", dense).data
        links = [f"../figures/01/line.{kind}", "../figures/01/line.pdf", "../data/results/01"]
        assert re.findall(r'href="([^"]+)"', shown) == links
        assert (study.build / "figures" / "01" / f"line.{kind}").exists()


def test_an_animation_is_the_same_text_each_time_and_needs_no_network(tmp_path):
    def animated():
        figure = a_figure()
        line = figure.axes[0].lines[0]
        return scrubber(figure, lambda i: line.set_ydata([i, 1 - i]), ["step 0", "step 1"], "a line that turns").data

    page = animated()
    assert page == animated()
    assert "http" not in page and page.count("data:image/webp") == 3
    assert re.search(r'max="1" value="1"', page)


def collapse(of):
    """An effect of the moons' runs, as notebook 01 measures it."""
    return {"rate of collapsed runs": stats.rate(of["z2"].rarer_share.values[:, -1] < 0.6)}


TOLD = {"share between two moons and one": 0.5}


def written(study, claim):
    return json.loads((study.build / "verdicts" / f"{claim}.json").read_text())


def test_smoke_judges_nothing_and_other_profiles_write_the_verdict_down(open_study):
    for profile, expected in (("smoke", "not judged"), ("quick", "inconclusive")):
        study = open_study(profile=profile)
        assert study.verdict("moons-1", collapse, study.runs(ARMS), control=TOLD) == collapse(study.runs(ARMS))
        stored = written(study, "moons-1")
        assert stored["verdict"] == expected and not stored["as_committed"]
        assert expected in study.verdicts().data and "indicative" in study.verdicts().data
        assert "moons-1, revision 3" in study.verdicts().data


def test_a_verdict_takes_seeds_steps_and_commits_from_the_runs_it_rests_on(open_study):
    study = open_study(train=True)
    few = study.runs(ARMS, seeds=[4, 5, 9])
    study.verdict("moons-1", collapse, few, control=TOLD)
    stored, (origin, *_) = written(study, "moons-1"), provenance_of(few["z2"])
    arm = {"arm": "z2", "seeds": "4-5, 9", "count": 3, "runs": 3, "steps": 20, "commits": [origin["commit"]]}
    assert (stored["rests_on"], stored["seeds"], stored["steps"]) == ([arm], 3, 20)
    assert stored["short"] == ["z2 has 3 of 32 seeds", "z2 has 20 of 300,000 steps"]


def test_whether_an_answer_is_settled_is_measured_on_half_of_the_steps_or_on_longer_runs(open_study):
    study = open_study(train=True)
    runs = study.runs(ARMS)
    study.verdict("moons-1", collapse, runs, control=TOLD)
    (half,) = written(study, "moons-1")["settled"]["again"]
    assert half["value"] == (runs["z2"].rarer_share.sel(step=10) < 0.6).mean()
    longer = study.runs({"long": moons(steps=40, observe={"measures": {"times": 2, "points": 30}})})
    study.verdict("moons-1", collapse, runs, control=TOLD, longer={"z2": longer["long"]})
    (twice,) = written(study, "moons-1")["settled"]["again"]
    assert twice["value"] == (longer["long"].rarer_share.sel(step=40) < 0.6).mean()


def test_a_row_of_ones_own_is_judged_like_those_of_the_study(open_study, tmp_path):
    rows = [row for row in yaml.safe_load(CLAIMS.read_text()) if row["id"] == "moons-1"]
    (tmp_path / "claims.yml").write_text(yaml.safe_dump([rows[0] | {"id": "mine-1", "above": -1, "revision": 1}]))
    study = open_study(profile="quick")
    runs = study.runs(ARMS)
    study.verdict(load_claims(str(tmp_path / "claims.yml"))["mine-1"], collapse, runs, control=TOLD)
    stored = written(study, "mine-1")
    assert stored["verdict"] == "supported" and (stored["above"], stored["revision"]) == (-1, 1)
    assert "mine-1, revision 1" in study.verdicts().data


def test_a_verdict_without_runs_is_refused(open_study):
    with pytest.raises(StudyError, match="rests on runs"):
        open_study().verdict("moons-1", lambda of: {"rate of collapsed runs": stats.rate([True])}, {}, control=TOLD)


def test_other_data_are_kept_apart_and_decide_nothing(open_study, tmp_path):
    study = open_study(train=True)
    study.keep_apart("digits")
    study.verdict("moons-1", collapse, study.runs(ARMS), control=TOLD)
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["01-digits"]
    assert written(study, "moons-1")["verdict"] == "not judged"


def test_arms_with_seeds_of_their_own_and_small_populations_are_all_trained(open_study):
    study = open_study(train=True, n_seeds=3)
    first, second = study.runs(ARMS, together=2), study.runs({"less": ARMS["z2"] | {"latent": 1}}, range(1))
    assert len(study.store.files("z2", ARMS["z2"])) == 2
    assert first["z2"].seed.values.tolist() == [0, 1, 2] and second["less"].seed.values.tolist() == [0]
    told = study.provenance().data
    assert "| arms | 2 |" in told and "| runs | 4 |" in told and "| 0 to 0 or 0 to 2 |" in told


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["check", "--profile", "fast"], "unknown profile 'fast': allowed are smoke, quick, paper"),
        (["check", "--notebooks", "99"], "unknown notebook '99': allowed are 00"),
        (["check", "--device", "tpu"], "unknown device 'tpu': allowed are auto, cpu, cuda and cuda:N"),
        (["check", "--share", "3/2"], "unknown share '3/2': allowed is i/k with 1 <= i <= k, such as 1/2"),
        (["check", "--notebooks", ""], "notebooks '': allowed are all, or different ones of 00"),
        (["train", "--notebooks", "01", "--share", "0/2"], "unknown share '0/2'"),
        (["figures", "--notebooks", "1x"], "unknown notebook '1x'"),
        (["figures", "--notebooks", "01 01"], "notebooks '01 01': allowed are"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused_in_a_sentence(words, sentence):
    with pytest.raises(StudyError) as refused:
        main(words)
    assert str(refused.value).startswith(sentence)


def test_a_refused_command_ends_with_its_sentence_alone():
    words = [sys.executable, "-m", "gancore", "check", "--profile", "fast"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: unknown profile 'fast': allowed are smoke, quick, paper"]
