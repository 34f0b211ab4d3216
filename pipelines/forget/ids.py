"""The ids and the name of the one who is forgotten. They are never printed, logged or kept."""

from dataclasses import dataclass, field

from pipelines.report import formatting


@dataclass(frozen=True, slots=True)
class Ids:
    """The id of a person, those of their participants, and names that nobody else has, as far as they are known."""

    person: str = field(repr=False)
    participants: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False, default=())

    @property
    def all(self) -> tuple[str, ...]:
        """Every id once. By these, and never by a name, it is decided whose a line is."""
        return tuple(dict.fromkeys((self.person, *self.participants)))

    @property
    def as_shown(self) -> tuple[str, ...]:
        """All that must be nowhere: ids and names as they are, and as reports show and shorten them."""
        exact = (*self.all, *self.names)
        return tuple(dict.fromkeys((*exact, *map(formatting.shown, exact), *map(formatting.cut, exact))))
