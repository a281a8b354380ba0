"""Training a population: its moves, its optimisers, what is observed on the way, checkpoints and the CUDA graph.

An optimiser has `step(gradients)`, elementwise and in place, and `state()`, the tensors that a checkpoint keeps; it is
entered in `optimisers.OPTIMISERS`.
"""
