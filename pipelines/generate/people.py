"""Makes ids that look like Rally's, and chooses the people who take part: new ones, and some from earlier studies."""

from random import Random

from pipelines.generate.clock import unix

MAX_REMEMBERED = 4_096
"""How many people can return. The limit bounds the memory."""
RETURNING = 0.3
"""The chance that a participant is someone from an earlier study."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_RANDOM_BITS = 41


def base36(number: int, pairs: int) -> str:
    """The last `2 * pairs` base-36 digits of a number."""
    text = ""
    for _ in range(pairs):
        number, pair = divmod(number, len(_PAIRS))
        text = _PAIRS[pair] + text
    return text


class IdSource:
    """Makes unique ids of 25 characters: `c`, a time, a counter, a fingerprint and a random part."""

    def __init__(self, random: Random) -> None:
        self._bits = random.getrandbits
        self._fingerprint = base36(self._bits(_RANDOM_BITS), 2)
        self._count = 0

    def make(self, moment: int) -> str:
        """A new id for something created at this time."""
        self._count += 1
        random_part = base36(self._bits(_RANDOM_BITS), 4)
        return f"c{base36(unix(moment), 4)}{base36(self._count, 2)}{self._fingerprint}{random_part}"


class People:
    """Chooses a person for each participant, never the same person twice in a study."""

    def __init__(self, ids: IdSource, random: Random) -> None:
        self._ids = ids
        self._random = random.random
        self._remembered: list[tuple[str, tuple[int, ...]]] = []

    def choose(self, study: int, moment: int) -> str:
        """The id of the person for a new participant in study number `study`. A new person is created at `moment`."""
        random = self._random
        if self._remembered and random() < RETURNING:
            index = int(random() * len(self._remembered))
            person, studies = self._remembered[index]
            if study not in studies:
                self._remembered[index] = (person, (*studies, study))
                return person
        person = self._ids.make(moment)
        if len(self._remembered) < MAX_REMEMBERED:
            self._remembered.append((person, (study,)))
        else:
            self._remembered[int(random() * MAX_REMEMBERED)] = (person, (study,))
        return person
