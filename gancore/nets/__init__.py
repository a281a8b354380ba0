"""Networks, each with a replica axis: R independent ones computed as one.

A layer (`layers`, `convolutions`) maps batches `(R, B, ...)` and holds parameters that lead with R. An architecture
(`architectures`) is a class of NETWORKS: it says which settings a player of each role has, and has a method for each
role in which it can be, which builds that role's network for points of a target. A network whose scores hang on the
other points of a batch says so by `looks_across`, and one whose features are not what its last `Linear` is shown says
which module is its `head`. An architecture is entered in NETWORKS, an activation in `layers.ACTIVATIONS`, and a way
to draw initial weights in `layers.INITIALISERS`. An ordinary `nn.Module` gets its replica axis from `stacked.Stacked`;
a recipe names the reader's own as "module:function" (`own`).
"""
