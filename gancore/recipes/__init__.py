"""From a recipe, a plain dictionary that says everything about an arm but its seeds, to a population.

`build` makes what a recipe names, `checks` says what it may say at every depth, `changed` gives it other settings,
`sweeps` trains a grid of its numbers as one population. What can be named is entered where it lives: in `data`, `nets`,
`games`, `training`, `objectives`, `penalties` and `observers`.
"""
