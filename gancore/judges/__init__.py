"""Trained classifiers: those that say which digit an image shows, and those that guide a generator.

A judge maps images `(..., D)` in [-1, 1] to labels and is entered in `classifier.JUDGES`; it is trained by a command
of its own (`renew`) and stored in data/models with where it comes from (`weights`). Whoever guides is never who judges.
A guide has `features` and a `head` that names classes from them; on mixtures it is known untrained (`posterior`).
"""
