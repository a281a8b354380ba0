"""What is learned from, and what generators are given.

A target knows its `dimensions`, and `draw(batch)` gives a `Draw` for `gancore.streams.Stream`; its settings are the
fields of a dataclass, each with what it may be. One with known modes has `means()` and `weights()`; one of images has
`image` (channels, side), `training()` and `held_out()`. The reader's own come from files: `points` and
`images.folders`. Latents (`latents`) are drawn in the same way. Both are entered in `targets.TARGETS`.
"""
