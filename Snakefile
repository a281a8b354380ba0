# profile -> shares of the training -> notebooks with their figures, on two cores as on a cluster:
#   snakemake --cores 2 --config profile=quick
# A share is the notebook up to its training, for a part of the work; shares meet in one results folder.

from gancore.errors import StudyError
from gancore.notebooks import chosen, find
from gancore.parameters import known_profile

profile = known_profile(config.get("profile", "quick"))
device = config.get("device", "auto")
# The smoke profile trains for seconds: shares would cost their start and gain nothing.
shares = 1 if profile == "smoke" else int(config.get("shares", 2))
notebooks = chosen(str(config.get("notebooks", "all")))
build = f"build/{profile}"
code = [str(path) for path in sorted(Path("gancore").rglob("*.py"))]

wildcard_constraints:
    number=r"\d\d",
    i=r"\d+",
    k=r"\d+",


rule study:
    input:
        [f"{build}/{find(number).name}" for number in notebooks],


rule share:
    input:
        lambda wildcards: f"notebooks/{find(wildcards.number).name}",
        code,
    output:
        touch(f"{build}/shares/{{number}}-{{i}}-of-{{k}}.done"),
    params:
        notebook=f"{build}/shares/{{number}}-{{i}}-of-{{k}}.ipynb",
    threads: 1
    shell:
        "python -m gancore train --notebooks {wildcards.number} --profile {profile} --device {device}"
        " --share {wildcards.i}/{wildcards.k} --output {params.notebook}"


rule notebook:
    input:
        notebook="notebooks/{number}_{topic}.ipynb",
        code=code,
        claims="data/claims.yml",
        # Notebooks may look at the runs of those before them, so those are trained first.
        shares=lambda wildcards: [
            f"{build}/shares/{number}-{i}-of-{shares}.done"
            for number in notebooks
            for i in range(1, shares + 1)
            if shares > 1 and number <= wildcards.number
        ],
    output:
        f"{build}/{{number}}_{{topic}}.ipynb",
    threads: 1
    shell:
        "python -m gancore run --notebooks {wildcards.number} --profile {profile} --device {device} --output {output}"
