"""What a notebook calls: its parameters, its runs, its figures, its verdicts and where they come from."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr
from IPython.display import HTML, Markdown
from matplotlib.figure import Figure

from gancore.claims import tables
from gancore.claims.rows import Claim, Requirement, load_claims
from gancore.claims.trials import counted, load_trials
from gancore.errors import StudyError
from gancore.files import ROOT, from_user, write_whole
from gancore.host import pick_device
from gancore.parameters import known_profile, read_share, refuse_unknown
from gancore.provenance import code_digest
from gancore.recipes.checks import check
from gancore.stats import Interval
from gancore.study.evidence import Runs, first_halves, rests_on, shortfalls
from gancore.study.plots import as_html, save
from gancore.study.results import Store, provenance_of
from gancore.study.work import POPULATION, pieces, train_piece
from gancore.values import TEXT, TRUTH, Values, whole


class Study:
    """One execution of a notebook."""

    def __init__(
        self, notebook: str, namespace: Mapping[str, Any], sizes: Mapping[str, Mapping[str, int]], **allowed: Values
    ):
        """Take the parameters from the notebook's `namespace`; `sizes` gives those left at None, by profile.

        `allowed` says what parameters of the notebook's own may be, and a size that may not be every whole number
        from 1 up. Raises StudyError for an unknown parameter or an impossible value.
        """
        refuse_unknown(namespace.get("In", []))
        self.notebook, self.profile = notebook, known_profile(namespace["profile"])
        self.size = {
            name: allowed.pop(name, whole(1)).check(name, default if namespace.get(name) is None else namespace[name])
            for name, default in sizes[self.profile].items()
        }
        for name, values in {**allowed, "first_seed": whole(0), "results": TEXT, "train": TRUTH}.items():
            values.check(name, namespace[name])
        self.seeds = range(namespace["first_seed"], namespace["first_seed"] + self.size["n_seeds"])
        self.device = pick_device(namespace["device"])
        self.share = read_share(namespace["share"])
        self.trains = namespace["train"] or self.profile != "paper"
        self.build = from_user(os.environ.get("GANCORE_BUILD") or ROOT / "build") / self.profile
        self.store = Store(self._results_folder(namespace["results"]) / notebook)
        self.decides = self.profile != "smoke"
        self._verdicts: list[dict[str, Any]] = []
        self._used: dict[str, xr.Dataset] = {}

    def _results_folder(self, results: str) -> Path:
        if results != "auto":
            return from_user(results)
        # What smoke and quick train is of no use to other code; committed results are replayed instead.
        return ROOT / "data" / "results" if self.profile == "paper" else self.build / "results" / code_digest()

    def runs(
        self, arms: Mapping[str, Mapping[str, Any]], seeds: Sequence[int] | None = None, together: int = POPULATION
    ) -> dict[str, xr.Dataset]:
        """The arms' runs by name, trained first where they are missing and this study trains.

        `seeds` are the study's own unless others are given; at most `together` runs are one
        population, so that arms of large networks can be shared out. Raises StudyError where runs are missing
        and it does not train, or where a stored file is bad.
        """
        seeds = self.seeds if seeds is None else seeds
        missing = [arm for arm, recipe in arms.items() if set(seeds) - self.store.seeds(arm, recipe)]
        if missing and not self.trains:
            raise StudyError(
                f"no stored runs for {', '.join(missing)} with seeds {seeds[0]} to {seeds[-1]} in "
                f"{self.store.folder}: `make study PROFILE=paper NOTEBOOKS={self.notebook}` trains what the profile "
                "asks for; with other parameters, set train = True"
            )
        if missing:
            self.check(arms)
            self.store.check_writable()
            for piece in pieces(arms, seeds, self.share, together):
                train_piece(piece, self.store, self.device, self.build / "checkpoints" / code_digest() / self.notebook)
        if self.share.count > 1:
            return {}
        loaded = {arm: self.store.load(arm, recipe, seeds) for arm, recipe in arms.items()}
        self._used |= loaded
        return loaded

    def check(self, arms: Mapping[str, Mapping[str, Any]]) -> None:
        """Raises StudyError where this study would train and a recipe is impossible: before any other is trained."""
        if self.trains:
            for recipe in arms.values():
                check(recipe)

    def keep_apart(self, data: str) -> None:
        """Say that the runs are on other `data` than the claims are about: a results folder of its own, no verdicts."""
        self.store = Store(self.store.folder.with_name(f"{self.notebook}-{data}"))
        self.decides = False

    def figure(self, figure: Figure, name: str, alt: str, dense: bool = False) -> HTML:
        """Save a figure as SVG and PDF (`dense`: PNG and PDF) and show it with its description.

        Where it is drawn from the stored results, links below lead to its files and to these.
        """
        picture = save(figure, self.build / "figures" / self.notebook / name, dense)
        stored = ROOT / "data" / "results" / self.notebook
        if self.profile != "paper" or self.store.folder != stored:
            return as_html(picture, alt)
        files = f"../figures/{self.notebook}/{name}"
        links = {kind.upper(): f"{files}.{kind}" for kind in ("png" if dense else "svg", "pdf")}
        return as_html(picture, alt, links | {"the runs behind it": f"../data/results/{self.notebook}"})

    def verdict(
        self,
        claim: str | Claim,
        measure: Callable[[Runs], Mapping[str, Interval]],
        runs: Runs,
        *,
        regime: Mapping[str, Interval | float] = {},
        control: Mapping[str, Interval | float] = {},
        longer: Runs | None = None,
    ) -> Mapping[str, Interval]:
        """Decide a claim by its row, write the verdict down, and return the effects: `measure` of the arms' `runs`.

        The claim is one of `data/claims.yml`, by its id, or a row of one's own, from `load_claims`.
        The runs say themselves of how many seeds and steps they are. `regime` and `control` are what the row wants to
        be shown first; whether the answer is settled is measured on `longer` runs of the same arms if there are any,
        else on the same runs cut off at half of their steps. Profile `smoke` does not decide, nor does a study of other
        data than the claims are about. Raises StudyError where what is given is not what the row asks for.
        """
        claim = claim if isinstance(claim, Claim) else load_claims()[claim]
        effects = measure(runs)
        again = None if claim.settled.none_needed else measure(longer or first_halves(runs))
        shown = {"regime": _intervals(regime), "control": _intervals(control)}
        judgement = claim.judged(effects, **shown, again=again)
        arms = rests_on(runs)
        short = shortfalls(claim, arms)
        verdict = {
            "claim": claim.id,
            "revision": claim.revision,
            "statement": claim.statement,
            "criterion": claim.criterion,
            "verdict": judgement.verdict if self.decides else "not judged",
            "because": judgement.because if self.decides else "",
            "effects": _written(effects),
            "above": claim.above,
            **{name: _shown(getattr(claim, name), measured) for name, measured in shown.items()},
            "settled": {"asked": claim.settled.asked, "again": _written(again or {})},
            "effort": counted(claim.effort, load_trials()),
            "rests_on": [arm.as_entry() for arm in arms],
            "seeds": min(len(arm.seeds) for arm in arms),
            "steps": min(arm.steps for arm in arms),
            "short": short,
            "as_committed": not short,
            "profile": self.profile,
            "notebook": self.notebook,
        }
        self._verdicts.append(verdict)
        text = json.dumps(verdict, indent=2) + "\n"
        write_whole(self.build / "verdicts" / f"{claim.id}.json", text.encode())
        return effects

    def verdicts(self) -> Markdown:
        """The table of the verdicts given so far."""
        return Markdown(tables.verdicts(self._verdicts))

    def provenance(self) -> Markdown:
        """Where the runs come from: of the stored results in profile `paper`, so that rendering changes nothing."""
        return Markdown(tables.provenance(self._origins(), list(self._used.values())))

    def _origins(self) -> list[dict[str, Any]]:
        return [origin for runs in self._used.values() for origin in provenance_of(runs)]


def _intervals(measured: Mapping[str, Interval | float]) -> dict[str, Interval]:
    """What was measured, plain numbers as intervals of no width."""
    return {
        name: value if isinstance(value, Interval) else Interval(*[float(value)] * 3)
        for name, value in measured.items()
    }


def _written(measured: Mapping[str, Interval]) -> list[dict[str, Any]]:
    """Intervals as they are stored: to twelve digits, since the last bits of a function hang on the processor."""
    return [
        {"name": name, **{end: float(f"{value:.12g}") for end, value in interval._asdict().items()}}
        for name, interval in measured.items()
    ]


def _shown(asked: Requirement, measured: Mapping[str, Interval]) -> dict[str, Any]:
    """A regime or a control as a verdict stores it: what is asked, how much, and what was measured."""
    return {"asked": asked.asked, "at_least": dict(asked.at_least), "measured": _written(measured)}
