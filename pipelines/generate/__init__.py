"""Made-up webhook files with journeys true to Rally, the same bytes for the same recipe."""

from pipelines.generate.output import generate
from pipelines.generate.recipe import Generated, Recipe
from pipelines.packed import Compression

__all__ = ["Compression", "Generated", "Recipe", "generate"]
