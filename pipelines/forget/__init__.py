"""`studyflow forget`: a person leaves the warehouse, the exports and, on request, the raw files."""

from pipelines.forget.forgetting import Proof, forget
from pipelines.forget.known import Known, look_up

__all__ = ["Known", "Proof", "forget", "look_up"]
