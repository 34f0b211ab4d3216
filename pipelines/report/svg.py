"""SVG as vl-convert writes it, made fit to stand in a page: named, with the page's fonts, and short."""

import re

from markupsafe import Markup, escape

_EMPTY = re.compile(r'<path class="(?:background|foreground)"[^>]*/>')
_BACKDROP = re.compile(r'<rect width="[\d.]+" height="[\d.]+" fill="white"/>')
_HIDDEN = re.compile(r'<text [^>]*(?<!-)opacity="0"[^>]*>[^<]*</text>')
"""Labels that Vega hides because they would touch others."""
_USELESS = re.compile(
    r' (?:role|aria-[a-z]+|pointer-events|font-family|class|opacity|stroke-miterlimit|xmlns:xlink|version)="[^"]*"'
)
_HEAD = re.compile(r'<svg [^>]*viewBox="([^"]+)"[^>]*>')
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")


def inline(drawn: str, name: str, title: str) -> Markup:
    """A drawing with a title that screen readers say and no ids but its own. `name` is unique in the page."""
    short = _HIDDEN.sub("", _BACKDROP.sub("", _EMPTY.sub("", drawn)))
    box = _HEAD.search(short)
    short = _USELESS.sub("", _HEAD.sub("", short)).replace("</svg>", "")
    short = _LONG.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), short)
    head = (
        f'<svg role="img" aria-labelledby="{name}-title" viewBox="{box[1] if box else "0 0 360 200"}">'
        f'<title id="{name}-title">{escape(title)}</title>'
    )
    return Markup(f"{head}{short}</svg>")  # noqa: S704 - Vega escapes what it draws; the title is escaped here
