"""Identifiers that look like Rally's: `c`, a time, a counter, a fingerprint and chance, 25 characters in all."""

from collections.abc import Callable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_PAIR = len(_PAIRS)
_CHANCE_BITS = 41


def base36(number: int, pairs: int) -> str:
    """The last `2 * pairs` base-36 digits of a number."""
    text = ""
    for _ in range(pairs):
        number, pair = divmod(number, _PAIR)
        text = _PAIRS[pair] + text
    return text


class IdSource:
    """Makes unique identifiers from a counter and `bits`, a source of that many random bits."""

    def __init__(self, bits: Callable[[int], int]) -> None:
        self._bits = bits
        self._fingerprint = base36(bits(_CHANCE_BITS), 2)
        self._made = 0
        self._unix, self._time = 0, base36(0, 4)

    def make(self, unix: int) -> str:
        """A new identifier of something created at `unix`, in milliseconds since 1970."""
        self._made += 1
        if unix != self._unix:
            self._unix, self._time = unix, base36(unix, 4)
        # Written out, as two identifiers are made for each participant: `base36` would take four times as long.
        made, chance = self._made, self._bits(_CHANCE_BITS)
        counter = _PAIRS[made // _PAIR % _PAIR] + _PAIRS[made % _PAIR]
        high, low = divmod(chance, _PAIR * _PAIR)
        luck = _PAIRS[high // _PAIR] + _PAIRS[high % _PAIR] + _PAIRS[low // _PAIR] + _PAIRS[low % _PAIR]
        return f"c{self._time}{counter}{self._fingerprint}{luck}"
