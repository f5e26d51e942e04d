# SPDX-License-Identifier: MIT
"""What the figures are drawn with: an SVG in the making, for a light and a dark page, without a background.

A figure that would show what did not happen is not drawn: require() raises.
"""

from dataclasses import dataclass, field
from xml.sax.saxutils import escape

BOX = 34  # the side of a callback's box
STEP = 42  # from one box to the next
STYLE = "svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#d1d7e0}}"


@dataclass
class Drawing:
    """An SVG in the making; the unit is a pixel."""

    title: str
    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, words: str, anchor: str = "start", size: int = 14) -> None:
        """Words, their base line at y."""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'
        )

    def box(self, x: float, y: float, words: str, gone: bool = False, width: float = BOX) -> None:
        """A callback; dashed and struck out when it is cancelled."""
        look = 'fill="none" stroke-dasharray="4 3"' if gone else 'fill="currentColor" fill-opacity="0.08"'
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{BOX}" rx="4" stroke="currentColor" {look}/>'
        )
        self.text(x + width / 2, y + BOX / 2 + 5, words, "middle", 15)
        if gone:
            self.line(x + 4, y + BOX - 4, x + width - 4, y + 4)

    def band(self, x: float, y: float, width: float, height: float) -> None:
        """An area that holds boxes."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="none" '
            'stroke="currentColor" stroke-opacity="0.45"/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A line."""
        self.parts.append(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="currentColor"/>')

    def arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """An arrow that points down, up or, if both ends are level, to the right."""
        self.line(x1, y1, x2, y2)
        back = -8 if y2 > y1 else 8
        level = [(x2 - 8, y2 - 5), (x2 - 8, y2 + 5)]
        tips = level if y2 == y1 else [(x2 - 5, y2 + back), (x2 + 5, y2 + back)]
        points = " ".join(f"{x:g},{y:g}" for x, y in [tips[0], (x2, y2), tips[1]])
        self.parts.append(f'<polyline points="{points}" fill="none" stroke="currentColor"/>')

    def svg(self) -> str:
        """The whole file."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif" fill="currentColor" role="img">'
        )
        lines = [
            head,
            f"<title>{escape(self.title)}</title>",
            f"<style>{STYLE}</style>",
            *self.parts,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"


def require(holds: bool, what: str) -> None:
    """Raise RuntimeError when the loop did something that the figure does not say."""
    if not holds:
        raise RuntimeError(f"this figure would be wrong: {what}")
