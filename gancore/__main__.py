"""`python -m gancore`: what the Makefile and the Snakefile call."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gancore.errors import StudyError
from gancore.notebooks import chosen, execute, render, train_share
from gancore.parameters import PROFILES, known_device, known_profile, read_share


def check(asked: argparse.Namespace) -> None:
    """Say what is unknown: the profile, a notebook, the device or the share."""
    known_profile(asked.profile)
    read_share(asked.share)
    known_device(asked.device)
    chosen(asked.notebooks)


def train(asked: argparse.Namespace) -> None:
    """Train one share of a notebook's runs."""
    check(asked)
    parameters = {"profile": asked.profile, "device": asked.device, "share": asked.share, "train": True}
    train_share(asked.notebooks, asked.output.resolve(), parameters)


def run(asked: argparse.Namespace) -> None:
    """Execute a notebook into a file."""
    execute(asked.notebooks, asked.output.resolve(), {"profile": asked.profile, "device": asked.device})


def figures(asked: argparse.Namespace) -> None:
    """Execute committed notebooks in place, from the stored results, and refresh figures and README."""
    wanted = chosen(asked.notebooks)

    from gancore.claims.readme import refresh

    try:
        render(wanted, asked.cores)
    finally:
        refresh()


def report(asked: argparse.Namespace) -> None:
    """Print a study's verdicts and say where to look."""
    from gancore.claims.rows import as_line, read_verdicts

    for verdict in read_verdicts(asked.output / "verdicts"):
        print(as_line(verdict))
    print(f"\nnotebooks {asked.output}/*.ipynb · figures {asked.output}/figures/ · verdicts {asked.output}/verdicts/")


def classifier(asked: argparse.Namespace) -> None:
    """Train on MNIST the classifier that names generated digits, and store it: some six minutes on one core."""
    from gancore.judges.classifier import WEIGHTS, renew

    print(f"{renew()['accuracy']:.2%} of the held-out images are named rightly, weights in {WEIGHTS}")


def guides(asked: argparse.Namespace) -> None:
    """Train the classifiers that guide generators, on MNIST and on the small digits, and store them: a minute."""
    from gancore.judges.guide import EPOCHS, renew, weights_of

    for name in EPOCHS:
        accuracy = renew(name)["accuracy"]
        print(f"{accuracy:.2%} of the held-out images of {name} are named rightly, weights in {weights_of(name)}")


def replay(asked: argparse.Namespace) -> None:
    """Check stored runs that lack their first losses in double precision against today's code, and add them."""
    from gancore.files import ROOT
    from gancore.study.replay import complete_all

    complete_all(ROOT / "data" / "results", chosen(asked.notebooks))


def move(asked: argparse.Namespace) -> None:
    """Put stored runs whose rates fall until so many updates under the recipe of today, which counts steps."""
    from gancore.files import ROOT
    from gancore.study.moves import move_all

    move_all(ROOT / "data" / "results", chosen(asked.notebooks))


KNOWN = (check, train, run, figures, report, classifier, guides, replay, move)
COMMANDS = {command.__name__: command for command in KNOWN}


def main(words: Sequence[str] | None = None) -> None:
    """Do one command. Raises StudyError where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m gancore", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        options = commands.add_parser(name, help=command.__doc__)
        options.add_argument("--notebooks", default="all", help="a number such as 01, several, or all")
        options.add_argument("--profile", default="paper", help=", ".join(PROFILES))
        options.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
        options.add_argument("--share", default="1/1", help="i/k: the i-th of k shares of the work")
        options.add_argument("--cores", type=int, default=1, help="how many notebooks are rendered at once")
        options.add_argument("--output", type=Path, default=Path("build"), help="where to write, or what to report")
    asked = parser.parse_args(words)
    os.environ["PWD"] = os.getcwd()  # a kernel takes a user's relative paths from there
    COMMANDS[asked.command](asked)


if __name__ == "__main__":
    try:
        main()
    except StudyError as error:
        sys.exit(f"error: {error}")
