"""Prints environment.yml, made from the dependencies in pyproject.toml."""

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def environment() -> str:
    """The conda environment: Python from conda, the packages by pip, as pyproject.toml lists them."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    packages = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    head = [
        "# Generated from pyproject.toml by `make environment.yml`: change that, not this.",
        f"name: {project['name']}",
        "channels: [conda-forge]",
        "dependencies:",
        f'  - "python{project["requires-python"]}"',
        "  - pip",
        "  - pip:",
    ]
    return "\n".join([*head, *(f'      - "{package}"' for package in packages), '      - "-e ."']) + "\n"


if __name__ == "__main__":
    print(environment(), end="")
