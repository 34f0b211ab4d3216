"""Find webhooks inside batches and the envelopes of queues and event buses, as described in delivery_shapes.csv."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from pipelines.load.documents import JsonText, Step, parse
from pipelines.load.timestamps import parse_any_timestamp

DEPTH = 8
"""How many arrays and envelopes may be nested. Anything deeper is treated as a payload."""
EVENT_TYPE = "_eventType"
"""An object with this member is a webhook, whatever else it has."""

MemberPath = tuple[str, ...]
"""Names of members, each inside the one before."""


class Embedded(Enum):
    """A step into a string that contains JSON, or base64 of JSON."""

    TEXT = "text"
    BASE64 = "base64"


Place = tuple[Step | Embedded, ...]
"""The steps from a line to a part of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A row of delivery_shapes.csv: how to recognise an object of this shape, and where the webhooks in it are.

    `members`: must be there. `deliveries`: the list of a batch. `payload`, `delivery_id` and `received_at` are paths in
    each delivery or, if the shape is no batch, in the object itself. A path is empty if the shape has no such member.
    """

    name: str
    members: tuple[MemberPath, ...]
    deliveries: MemberPath = ()
    payload: MemberPath = ()
    is_base64: bool = False
    delivery_id: MemberPath = ()
    received_at: MemberPath = ()

    names: frozenset[str] = field(init=False, repr=False, compare=False)
    """The outermost names of members that an object of this shape has: a quick test before `fits`."""

    def __post_init__(self) -> None:
        """Set `names`."""
        object.__setattr__(self, "names", frozenset(path[0] for path in self.needs if path))

    @property
    def needs(self) -> frozenset[MemberPath]:
        """The paths that an object of this shape must have."""
        return frozenset({*self.members, self.deliveries or self.payload})

    def fits(self, value: dict[str, Any]) -> bool:
        """Whether an object has this shape."""
        if any(_member_at(value, path) is None for path in self.members):
            return False
        if not self.deliveries:
            return _member_at(value, self.payload) is not None
        found = _member_at(value, self.deliveries)
        return isinstance(found, list) and (not found or _may_hold_webhooks(found))


ENVELOPE = Shape("envelope", (), (), ("payload",), delivery_id=("svix_id",), received_at=("received_at",))
"""The receiver's envelope: any object with a payload."""


class Part(NamedTuple):
    """A value in a line that should be a webhook, with what the envelopes around it say.

    `names`: the shapes around it, outermost first. `place`: where it is in the line. `root`: the text that it was
    parsed from (None for the line itself), and `steps` lead to it from there. `element`: root and steps of the
    innermost element of a batch that it is in; None outside batches. `is_json`: false if its text is not JSON.
    """

    document: Any
    names: tuple[str, ...] = ()
    place: Place = ()
    root: JsonText | None = None
    steps: tuple[Step, ...] = ()
    element: tuple[JsonText | None, tuple[Step, ...]] | None = None
    delivery_id: Any = None
    received_at: Any = None
    is_json: bool = True
    envelope_says_more: bool = False

    def descend(self, steps: tuple[Step, ...], value: Any, name: str | None, **fields: Any) -> "Part":  # noqa: ANN401
        """The part inside this one that these steps lead to. `name`: of the shape; `fields`: other fields to change."""
        names, place = (*self.names, name) if name else self.names, (*self.place, *steps)
        return self._replace(document=value, names=names, place=place, steps=(*self.steps, *steps), **fields)

    def as_element(self) -> "Part":
        """The same part as an element of a batch. It does not inherit the id of the batch."""
        return self._replace(element=(self.root, self.steps), delivery_id=None)

    def parse_text(self, how: Embedded) -> "Part":
        """The JSON document in this part, which is a string."""
        text: str = self.document
        try:
            content = base64.b64decode(text, validate=True) if how is Embedded.BASE64 else text.encode()
            document = parse(content)
        except ValueError:
            return self._replace(document=None, is_json=False)
        return self._replace(document=document, place=(*self.place, how), root=JsonText(content), steps=())


def sort_shapes(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """The shapes in the order to try them: those that need more members first, otherwise in the order of the table."""
    return tuple(sorted([ENVELOPE, *shapes], key=lambda shape: -len(shape.needs)))


def parts_in(part: Part, shapes: Sequence[Shape], depth: int = 0) -> Iterator[Part]:
    """Every webhook in a document, in order; none if it is an empty batch. `shapes` in the order to try them."""
    if isinstance(part.document, str) and depth:
        part = part.parse_text(Embedded.TEXT)
    value = part.document
    if depth >= DEPTH:
        yield part
    elif isinstance(value, list):
        if not value and not part.place:
            return
        if _may_hold_webhooks(value):
            for number, one in enumerate(value):
                yield from parts_in(part.descend((number,), one, "array").as_element(), shapes, depth + 1)
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
    for number, one in enumerate(_member_at(part.document, shape.deliveries)):
        element = part.descend((*shape.deliveries, number), one, shape.name).as_element()
        if isinstance(one, dict) and EVENT_TYPE not in one and _member_at(one, shape.payload) is not None:
            element = _payload(element, shape, None)
        yield from parts_in(element, shapes, depth + 1)


def _payload(part: Part, shape: Shape, name: str | None) -> Part:
    """The payload of an envelope. The receiver's envelope around an object is the normal case and gets no name."""
    value = _member_at(part.document, shape.payload)
    is_plain = shape == ENVELOPE and not isinstance(value, str | list)
    delivery_id = _member_at(part.document, shape.delivery_id)
    received_at = _member_at(part.document, shape.received_at)
    found = part.descend(
        shape.payload,
        value,
        None if is_plain else name,
        delivery_id=part.delivery_id if delivery_id is None else delivery_id,
        received_at=part.received_at if received_at is None else received_at,
        envelope_says_more=shape == ENVELOPE
        and len(part.document) > 1 + isinstance(delivery_id, str) + (parse_any_timestamp(received_at) is not None),
    )
    return found.parse_text(Embedded.BASE64) if shape.is_base64 and isinstance(value, str) else found


def _member_at(value: Any, path: MemberPath) -> Any:  # noqa: ANN401
    """The value at a path; None if there is none, or if the path is empty."""
    if not path:
        return None
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _may_hold_webhooks(values: list[Any], levels: int = DEPTH) -> bool:
    """Whether an element of a list could be or contain a webhook. Otherwise the list is not a batch."""
    return any(
        isinstance(value, dict)
        or (isinstance(value, str) and value.lstrip()[:1] in {"{", "["})
        or (levels > 0 and isinstance(value, list) and _may_hold_webhooks(value, levels - 1))
        for value in values
    )
