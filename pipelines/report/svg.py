"""Shortens the SVG that vl-convert writes, and prepares it for use within a page."""

import re

from markupsafe import Markup, escape

_EMPTY = re.compile(r'<path class="(?:background|foreground)"[^>]*/>')
_BACKDROP = re.compile(r'<rect width="[\d.]+" height="[\d.]+" fill="white"/>')
_HIDDEN = re.compile(r'<text [^>]*(?<!-)opacity="0"[^>]*>[^<]*</text>')
"""Labels that Vega made invisible because they overlap others."""
_USELESS = re.compile(
    r' (?:role|aria-[a-z]+|pointer-events|font-family|class|opacity|stroke-miterlimit|xmlns:xlink|version)="[^"]*"'
)
_HEAD = re.compile(r'<svg [^>]*viewBox="([^"]+)"[^>]*>')
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")


def inline(drawn: str, name: str, title: str) -> Markup:
    """A chart for use within a page, with a title for screen readers. `name` must be unique in the page."""
    short = _HIDDEN.sub("", _BACKDROP.sub("", _EMPTY.sub("", drawn)))
    box = _HEAD.search(short)
    short = _USELESS.sub("", _HEAD.sub("", short)).replace("</svg>", "")
    short = _LONG.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), short)
    head = (
        f'<svg role="img" aria-labelledby="{name}-title" viewBox="{box[1] if box else "0 0 360 200"}">'
        f'<title id="{name}-title">{escape(title)}</title>'
    )
    return Markup(f"{head}{short}</svg>")  # noqa: S704 - Vega escapes what it draws; the title is escaped here
