"""Made-up webhook files with journeys true to Rally, the same bytes for the same recipe."""

from pipelines.generate.output import Compression, generate
from pipelines.generate.recipe import Recipe
from pipelines.generate.tally import Generated

__all__ = ["Compression", "Generated", "Recipe", "generate"]
