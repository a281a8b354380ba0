"""The claims and their verdicts as text: rows of data/claims.yml and data/trials.yml, tables, and the README's part.

Nothing here trains or imports torch, so that what only makes tables is quick.
"""
