"""Who takes part: new people, and now and then someone from an earlier study."""

from collections.abc import Callable

from pipelines.generate.ids import IdSource

KNOWN = 4_096
"""How many people are remembered, so that memory stays bounded."""
RETURNING = 0.3


class People:
    """Chooses a person for each participant, never the same one twice in a study."""

    def __init__(self, ids: IdSource, random: Callable[[], float]) -> None:
        self._ids = ids
        self._random = random
        self._known: list[tuple[str, tuple[int, ...]]] = []
        self.count = 0

    def choose(self, study: int, unix: int) -> str:
        """The person of a new participant in study number `study`; someone new is created at `unix`."""
        random = self._random
        if self._known and random() < RETURNING:
            at = int(random() * len(self._known))
            person, studies = self._known[at]
            if study not in studies:
                self._known[at] = (person, (*studies, study))
                return person
        person = self._ids.make(unix)
        self.count += 1
        if len(self._known) < KNOWN:
            self._known.append((person, (study,)))
        else:
            self._known[int(random() * KNOWN)] = (person, (study,))
        return person
