"""Made-up webhook files with journeys true to Rally, the same bytes for the same recipe."""

from pipelines.compression import Compression
from pipelines.generate.output import generate
from pipelines.generate.recipe import Generated, Recipe

__all__ = ["Compression", "Generated", "Recipe", "generate"]
