"""`studyflow forget`: remove a person from the warehouse, the exports and, on request, the raw files."""

from pipelines.forget.forgetting import forget
from pipelines.forget.known_person import KnownPerson, look_up
from pipelines.forget.proof import Proof

__all__ = ["KnownPerson", "Proof", "forget", "look_up"]
