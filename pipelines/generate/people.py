"""Who takes part: new people, and now and then someone from an earlier study. Their ids look like Rally's."""

from random import Random

from pipelines.generate.clock import unix

KNOWN = 4_096
"""How many people are remembered, so that memory stays bounded."""
RETURNING = 0.3

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_CHANCE_BITS = 41


def base36(number: int, pairs: int) -> str:
    """The last `2 * pairs` base-36 digits of a number."""
    text = ""
    for _ in range(pairs):
        number, pair = divmod(number, len(_PAIRS))
        text = _PAIRS[pair] + text
    return text


class IdSource:
    """Makes unique identifiers: `c`, a time, a counter, a fingerprint and chance, 25 characters in all."""

    def __init__(self, random: Random) -> None:
        self._bits = random.getrandbits
        self._fingerprint = base36(self._bits(_CHANCE_BITS), 2)
        self._made = 0

    def make(self, moment: int) -> str:
        """A new identifier of something created then."""
        self._made += 1
        chance = base36(self._bits(_CHANCE_BITS), 4)
        return f"c{base36(unix(moment), 4)}{base36(self._made, 2)}{self._fingerprint}{chance}"


class People:
    """Chooses a person for each participant, never the same one twice in a study."""

    def __init__(self, ids: IdSource, random: Random) -> None:
        self._ids = ids
        self._random = random.random
        self._known: list[tuple[str, tuple[int, ...]]] = []

    def choose(self, study: int, moment: int) -> str:
        """The person of a new participant in study number `study`; someone new is created at `moment`."""
        random = self._random
        if self._known and random() < RETURNING:
            at = int(random() * len(self._known))
            person, studies = self._known[at]
            if study not in studies:
                self._known[at] = (person, (*studies, study))
                return person
        person = self._ids.make(moment)
        if len(self._known) < KNOWN:
            self._known.append((person, (study,)))
        else:
            self._known[int(random() * KNOWN)] = (person, (study,))
        return person
