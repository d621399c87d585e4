"""The pure core: the same input gives the same output; no clock, no network, no files.

Imports the standard library, `breakeven.errors` and itself only (checked by import-linter).
"""
