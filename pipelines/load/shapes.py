"""Webhooks inside something else: batches, and the envelopes of queues and buses, by the rows of delivery_shapes.csv."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from pipelines.load.documents import parse
from pipelines.load.moments import moment
from pipelines.load.spans import Step, Text

DEPTH = 8
"""How many arrays and envelopes may stand inside each other. What is deeper is read as a payload."""
EVENT_TYPE = "_eventType"
"""What has this member is a webhook, whatever else it has."""

Path = tuple[str, ...]
"""The names of members, each within the one before."""


class Inside(Enum):
    """A step into a text that is JSON itself."""

    TEXT = "text"
    BASE64 = "base64"


Place = tuple[Step | Inside, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A row of delivery_shapes.csv: what an object of this shape has, and where the webhooks in it are.

    `deliveries`: of a batch. `payload`, `delivery_id` and `received_at` are looked for in each of them or, without
    `deliveries`, in the object itself. Empty paths are of what the shape does not have.
    """

    name: str
    members: tuple[Path, ...]
    deliveries: Path = ()
    payload: Path = ()
    is_base64: bool = False
    delivery_id: Path = ()
    received_at: Path = ()

    names: frozenset[str] = field(init=False, repr=False, compare=False)
    """Of members, outermost ones, that an object of this shape has: few others have all of them, so this is looked at first."""

    def __post_init__(self) -> None:
        """See which names these are."""
        object.__setattr__(self, "names", frozenset(path[0] for path in self.needs if path))

    @property
    def needs(self) -> frozenset[Path]:
        """All that must be in an object of this shape."""
        return frozenset({*self.members, self.deliveries or self.payload})

    def fits(self, value: dict[str, Any]) -> bool:
        """Whether an object has this shape."""
        if any(_at(value, path) is None for path in self.members):
            return False
        if not self.deliveries:
            return _at(value, self.payload) is not None
        found = _at(value, self.deliveries)
        return isinstance(found, list) and (not found or _holds_webhooks(found))


ENVELOPE = Shape("envelope", (), (), ("payload",), delivery_id=("svix_id",), received_at=("received_at",))
"""The receiver's own: what has a payload."""


class Part(NamedTuple):
    """A webhook, as far as can be told, and what the envelopes around it say.

    `names`: of the shapes, from the outside. `place`: where it is in the line. `root` is the text that it was parsed from,
    None for the line, and `steps` lead to it from there; `element` has the same of the element of a batch that it is, the
    innermost one. `is_json`: false if its text is none.
    """

    document: Any
    names: tuple[str, ...] = ()
    place: Place = ()
    root: Text | None = None
    steps: tuple[Step, ...] = ()
    element: tuple[Text | None, tuple[Step, ...]] | None = None
    delivery_id: Any = None
    received_at: Any = None
    is_json: bool = True
    envelope_says_more: bool = False

    def inside(self, steps: tuple[Step, ...], value: Any, name: str | None, **said: Any) -> "Part":  # noqa: ANN401
        """What these steps lead to, with what is said of it."""
        names, place = (*self.names, name) if name else self.names, (*self.place, *steps)
        return self._replace(document=value, names=names, place=place, steps=(*self.steps, *steps), **said)

    def as_element(self) -> "Part":
        """The same as an element of a batch: an id of the whole batch is not its own."""
        return self._replace(element=(self.root, self.steps), delivery_id=None)

    def parsed(self, how: Inside) -> "Part":
        """What its text says."""
        text: str = self.document
        try:
            content = base64.b64decode(text, validate=True) if how is Inside.BASE64 else text.encode()
            document = parse(content)
        except ValueError:
            return self._replace(document=None, is_json=False)
        return self._replace(document=document, place=(*self.place, how), root=Text(content), steps=())


def in_order(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """The shapes in the order in which they are tried: one that needs more comes first, else the order of the table."""
    return tuple(sorted([ENVELOPE, *shapes], key=lambda shape: -len(shape.needs)))


def parts_in(part: Part, shapes: Sequence[Shape], depth: int = 0) -> Iterator[Part]:
    """Every webhook in a document, in order; none if it is an empty batch. `shapes` in the order to try them."""
    if isinstance(part.document, str) and depth:
        part = part.parsed(Inside.TEXT)
    value = part.document
    if depth >= DEPTH:
        yield part
    elif isinstance(value, list):
        if not value and not part.place:
            return
        if _holds_webhooks(value):
            for number, one in enumerate(value):
                yield from parts_in(part.inside((number,), one, "array").as_element(), shapes, depth + 1)
        else:
            yield part
    elif isinstance(value, dict) and EVENT_TYPE not in value:
        shape = next(
            (shape for shape in shapes if shape.names <= value.keys() and shape.fits(value)),
            ENVELOPE if "payload" in value else None,
        )
        yield from _unwrapped(part, shape, shapes, depth) if shape else (part,)
    else:
        yield part


def _unwrapped(part: Part, shape: Shape, shapes: Sequence[Shape], depth: int) -> Iterator[Part]:
    """The webhooks in an object of a shape."""
    if not shape.deliveries:
        yield from parts_in(_payload(part, shape, shape.name), shapes, depth + 1)
        return
    for number, one in enumerate(_at(part.document, shape.deliveries)):
        element = part.inside((*shape.deliveries, number), one, shape.name).as_element()
        if isinstance(one, dict) and shape.payload and EVENT_TYPE not in one and _at(one, shape.payload) is not None:
            element = _payload(element, shape, None)
        yield from parts_in(element, shapes, depth + 1)


def _payload(part: Part, shape: Shape, name: str | None) -> Part:
    """What an envelope is around. The receiver's own is not worth a name around an object: it is how lines should be."""
    value = _at(part.document, shape.payload)
    is_plain = shape == ENVELOPE and not isinstance(value, str | list)
    delivery_id, received_at = _at(part.document, shape.delivery_id), _at(part.document, shape.received_at)
    found = part.inside(
        shape.payload,
        value,
        None if is_plain else name,
        delivery_id=part.delivery_id if delivery_id is None else delivery_id,
        received_at=part.received_at if received_at is None else received_at,
        envelope_says_more=shape == ENVELOPE
        and len(part.document) > 1 + isinstance(delivery_id, str) + (moment(received_at) is not None),
    )
    return found.parsed(Inside.BASE64) if shape.is_base64 and isinstance(value, str) else found


def _at(value: Any, path: Path) -> Any:  # noqa: ANN401
    """What is at a path; None if nothing is, or if there is no path."""
    if not path:
        return None
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _holds_webhooks(values: list[Any], levels: int = DEPTH) -> bool:
    """Whether one of them could be or hold a webhook: else the list is no batch, but something else."""
    return any(
        isinstance(value, dict)
        or (isinstance(value, str) and value.lstrip()[:1] in {"{", "["})
        or (levels > 0 and isinstance(value, list) and _holds_webhooks(value, levels - 1))
        for value in values
    )
