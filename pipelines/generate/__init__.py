"""Generates realistic webhook files. The same recipe gives the same bytes."""

from pipelines.compression import Compression
from pipelines.generate.output import generate
from pipelines.generate.recipe import Recipe, Tally

__all__ = ["Compression", "Recipe", "Tally", "generate"]
