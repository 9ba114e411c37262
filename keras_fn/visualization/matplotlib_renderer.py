"""Pictures of models through matplotlib: no other program is needed."""

import io
import math
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from keras_fn.visualization.diagram import Box, Diagram, DisplayOptions
from keras_fn.visualization.mermaid import detail_lines
from keras_fn.visualization.sugiyama_layout import Edge, Layout, Point, compute_layout

# Headers by family of layers; light enough for dark text.
_COLORS = {
    "attention": "#E6D5F5",
    "convolutional": "#CFE3FA",
    "core": "#FFE9B8",
    "embedding": "#E6D5F5",
    "models": "#D9E2E8",
    "merging": "#DDE8D0",
    "normalization": "#D3EFEA",
    "op": "#EEEEEE",
    "pooling": "#FAD9D0",
    "regularization": "#F1E1EC",
    "reshaping": "#E8E4D8",
    "rnn": "#D6D9F7",
}

_INPUT, _OTHER, _FROZEN = "#D5F0D0", "#F3E3D3", "#ECECEC"

_INK, _SOFT_INK, _LINE, _FRAME = "#1B1F24", "#57606A", "#6E7781", "#8C959F"

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {"pil_kwargs": {"compress_level": 3}},  # half the time, a little larger
    "svg": {"metadata": {"Date": None}},  # the same model gives the same file
}

_FONT = "DejaVu Sans"

_TITLE, _NAME, _DETAIL = 9.0, 7.5, 7.5  # points

_PAD, _LEADING = 0.09, 0.155  # inches

_MARGIN, _FRAME_PAD, _FRAME_TITLE = 0.25, 0.2, 0.22

_SHAPE = re.compile(r"(→ )?(\d+ × )?\([^()]*\)")  # what is not broken over lines

_WIDEST = 48  # characters in a line of a box

_CORNER, _HEAD = 0.07, 0.085

_MOST_PIXELS, _LONGEST_SIDE = 36e6, 60_000


class _NodeBox(NamedTuple):
    """A box with its size."""

    box: Box
    title: list[str]
    details: list[str]
    width: float
    height: float


@dataclass
class _Drawing:
    """What is to be drawn, in inches across and along the ranks."""

    width: float = 0.0
    height: float = 0.0
    cards: list[tuple[_NodeBox, float, float]] = field(default_factory=list)
    frames: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    lines: list[tuple[list[Point], bool]] = field(default_factory=list)  # with an arrow or not

    def take(self, other: "_Drawing", x: float, y: float) -> None:
        """Adds another drawing, its corner at a place."""
        self.cards += [(card, x + a, y + b) for card, a, b in other.cards]
        self.frames += [(name, x + a, y + b, w, h) for name, a, b, w, h in other.frames]
        self.lines += [
            ([Point(x + p.x, y + p.y, p.soft) for p in points], arrow)
            for points, arrow in other.lines
        ]


def draw(
    diagram: Diagram,
    show: DisplayOptions,
    rankdir: str = "TB",
    splines: str = "ortho",
    dpi: float = 200,
    format: str = "png",
) -> bytes:
    """Draws a diagram.

    Args:
        diagram: What to draw.
        show: What the boxes say.
        rankdir: Where edges go: "TB", "BT", "LR" or "RL".
        splines: "ortho" for right angles, "curved" or "spline" for curves, else straight lines.
        dpi: Pixels in an inch; fewer where the picture would be too large for a file.
        format: A format that matplotlib writes.

    Returns:
        The content of the file.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "keras_fn", "pdf.fonttype": 42}
    with rc_context(style), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as empty boxes, no reason to fail.
        warnings.simplefilter("ignore")
        drawing = _BoxLayout(show, rankdir).place(diagram)
        page = _Canvas(drawing, rankdir)
        figure = Figure(figsize=(page.width, page.height), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, page.width), ylim=(page.height, 0))
        axes.set_axis_off()
        _paint(axes, page, drawing, splines)
        area, side = page.width * page.height, max(page.width, page.height)
        dpi = min(dpi, (_MOST_PIXELS / area) ** 0.5, _LONGEST_SIDE / side)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=format, dpi=dpi, **_SAVE_OPTIONS.get(format, {}))
    return buffer.getvalue()


# -------------------------------------------------------------------- places


class _BoxLayout:
    def __init__(self, show: DisplayOptions, rankdir: str):
        from matplotlib.textpath import TextToPath

        self.show = show
        self.upright, self.title_last = rankdir in ("TB", "BT"), rankdir == "BT"
        self.measure = TextToPath().get_text_width_height_descent

    def place(
        self,
        diagram: Diagram,
        entries: Sequence[str] = (),
        exits: Sequence[str] = (),
    ) -> _Drawing:
        """Places a diagram, with edges from its border to `entries` and from `exits`."""
        owner = {key: i for i, item in enumerate(diagram.items) for key in _keys(item)}
        cards = self._cards([item for item in diagram.items if isinstance(item, Box)])
        inner: dict[int, _Drawing] = {}
        ports: dict[tuple[int, str, bool], float] = {}
        ends = [*diagram.edges, *(("", key) for key in entries), *((key, "") for key in exits)]
        for i, item in enumerate(diagram.items):
            if isinstance(item, Diagram):
                inner[i], found = self._frame(item, i, owner, ends)
                ports.update(found)
        sizes: dict[Any, tuple[float, float]] = {}
        for i, item in enumerate(diagram.items):
            part = inner[i] if isinstance(item, Diagram) else cards[item.key]
            swap = isinstance(part, _NodeBox) and not self.upright
            sizes[i] = (part.height, part.width) if swap else (part.width, part.height)
        sizes.update({("in", key): (0.0, 0.0) for key in entries})
        sizes.update({("out", key): (0.0, 0.0) for key in exits})
        edges = [
            Edge(
                owner.get(a, ("in", b)),
                owner.get(b, ("out", a)),
                ports.get((owner.get(a, -1), a, True), 0.0),
                ports.get((owner.get(b, -1), b, False), 0.0),
            )
            for a, b in ends
        ]
        layout = compute_layout(
            sizes, edges, [("in", key) for key in entries], [("out", key) for key in exits]
        )
        return self._assembled(diagram, layout, cards, inner, edges)

    def _frame(
        self, item: Diagram, i: int, owner: dict[str, int], ends: list[tuple[str, str]]
    ) -> tuple[_Drawing, dict[tuple[int, str, bool], float]]:
        """Places a nested diagram in a frame; also returns where edges pass the frame."""
        entries = list(dict.fromkeys(b for _, b in ends if owner.get(b) == i))
        exits = list(dict.fromkeys(a for a, _ in ends if owner.get(a) == i))
        content = self.place(item, entries, exits)
        left, right, start, end = self._pads(bool(entries), bool(exits))
        framed = _Drawing(content.width + left + right, content.height + start + end)
        framed.frames.append((item.name, 0.0, 0.0, framed.width, framed.height))
        framed.take(content, left, start)
        ports = content.lines[len(content.lines) - len(entries) - len(exits) :]
        passes = {}
        for n, (key, (points, _)) in enumerate(zip([*entries, *exits], ports, strict=True)):
            leaves = n >= len(entries)
            border = points[-1] if leaves else points[0]
            passes[i, key, leaves] = border.x + left - framed.width / 2
        return framed, passes

    def _pads(self, has_entries: bool, has_exits: bool) -> tuple[float, float, float, float]:
        """Returns the inches round the content of a frame: across before and after, then along.

        Where edges pass the frame they leave room already. The title is on top of the page.
        """
        title = _FRAME_PAD + _FRAME_TITLE
        if not self.upright:
            ends = (0.0 if has_entries else _FRAME_PAD, 0.0 if has_exits else _FRAME_PAD)
            return title, _FRAME_PAD, *ends
        start, end = (_FRAME_PAD, title) if self.title_last else (title, _FRAME_PAD)
        return _FRAME_PAD, _FRAME_PAD, 0.0 if has_entries else start, 0.0 if has_exits else end

    def _assembled(
        self,
        diagram: Diagram,
        layout: Layout,
        cards: dict[str, _NodeBox],
        inner: dict[int, _Drawing],
        edges: list[Edge],
    ) -> _Drawing:
        drawing = _Drawing(layout.width, layout.height)
        for i, item in enumerate(diagram.items):
            x, y = layout.places[i]
            if isinstance(item, Box):
                drawing.cards.append((cards[item.key], x, y))
            else:
                part = inner[i]
                drawing.take(part, x - part.width / 2, y - part.height / 2)
        for edge, route in zip(edges, layout.routes, strict=True):
            target = edge.target
            at_box = isinstance(target, int) and target not in inner
            drawing.lines.append((route, at_box))
        return drawing

    def _cards(self, boxes: list[Box]) -> dict[str, _NodeBox]:
        """Measures the boxes of a diagram; all get the width of the widest, which calms the eye."""
        texts = {box.key: self._texts(box) for box in boxes}
        width = max((self._width(*text) for text in texts.values()), default=0.0) + 2 * _PAD
        return {
            box.key: _NodeBox(box, *texts[box.key], max(width, 0.9), _height(*texts[box.key]))
            for box in boxes
        }

    def _texts(self, box: Box) -> tuple[list[str], list[str]]:
        title = [box.class_name, box.name] if self.show.names else [box.class_name]
        title = [
            textwrap.shorten(t, _WIDEST, placeholder="…") if " " in t else _cut(t) for t in title
        ]
        details = [
            part
            for line in detail_lines(box, self.show)
            for part in textwrap.wrap(_SHAPE.sub(_unbroken, line), _WIDEST)
        ]
        return title, details

    def _width(self, title: list[str], details: list[str]) -> float:
        from matplotlib.font_manager import FontProperties

        fonts = [("bold", _TITLE), ("normal", _NAME)]
        lines = [
            *zip(title, fonts, strict=False),
            *((line, ("normal", _DETAIL)) for line in details),
        ]
        return max(
            self.measure(text, FontProperties(family=_FONT, weight=weight, size=size), False)[0]
            / 72
            for text, (weight, size) in lines
        )


def _unbroken(match: re.Match[str]) -> str:
    return match[0].replace(" ", "\xa0")


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _height(title: list[str], details: list[str]) -> float:
    header = len(title) * _LEADING + _PAD
    return header + (len(details) * _LEADING + _PAD if details else 0.0)


def _keys(item: Box | Diagram) -> Iterator[str]:
    if isinstance(item, Box):
        yield item.key
    else:
        for inner in item.items:
            yield from _keys(inner)


# -------------------------------------------------------------------- ink


class _Canvas:
    """Turns places across and along the ranks into places on the page, from its top left."""

    def __init__(self, drawing: _Drawing, rankdir: str):
        self.rankdir = rankdir
        self.across, self.along = drawing.width, drawing.height
        size = (drawing.width, drawing.height)
        width, height = size if rankdir in ("TB", "BT") else size[::-1]
        self.width, self.height = width + 2 * _MARGIN, height + 2 * _MARGIN

    def at(self, x: float, y: float) -> tuple[float, float]:
        if self.rankdir in ("BT", "RL"):
            y = self.along - y
        if self.rankdir in ("LR", "RL"):
            x, y = y, x
        return x + _MARGIN, y + _MARGIN

    def rectangle(
        self, x: float, y: float, w: float, h: float
    ) -> tuple[float, float, float, float]:
        """Returns left, top, width and height of a rectangle on the page."""
        (a, b), (c, d) = self.at(x, y), self.at(x + w, y + h)
        return min(a, c), min(b, d), abs(a - c), abs(b - d)


def _paint(axes: Any, page: _Canvas, drawing: _Drawing, splines: str) -> None:
    from matplotlib.collections import PathCollection

    frames = [page.rectangle(*frame[1:]) for frame in drawing.frames]
    paths = [_rectangle(*frame, (_CORNER * 1.5, _CORNER * 1.5)) for frame in frames]
    dashes = {"edgecolor": _FRAME, "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 1}
    axes.add_collection(PathCollection(paths, facecolor="#00000006", **dashes))
    for (left, top, _, _), (name, *_) in zip(frames, drawing.frames, strict=True):
        axes.text(
            left + _PAD,
            top + 0.15,
            _cut(name),
            color=_SOFT_INK,
            fontsize=8,
            family=_FONT,
            style="italic",
            va="center",
            parse_math=False,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    lines = [_path(points, splines, page) for points, _ in drawing.lines]
    heads = [_head(line) for line, (_, arrow) in zip(lines, drawing.lines, strict=True) if arrow]
    style = {"edgecolor": _LINE, "linewidth": 1.0, "zorder": 2}
    axes.add_collection(PathCollection(lines, facecolor="none", capstyle="butt", **style))
    axes.add_collection(PathCollection(heads, facecolor=_LINE, joinstyle="miter", **style))
    _paint_cards(axes, [(card, *page.at(x, y)) for card, x, y in drawing.cards])


def _paint_cards(axes: Any, cards: list[tuple[_NodeBox, float, float]]) -> None:
    from matplotlib.collections import LineCollection, PathCollection

    bodies, headers, colours, rules = [], [], [], []
    for card, x, y in cards:
        box = card.box
        left, top = x - card.width / 2, y - card.height / 2
        header = len(card.title) * _LEADING + _PAD
        bodies.append(_rectangle(left, top, card.width, card.height, (_CORNER, _CORNER)))
        corners = (_CORNER, _CORNER if not card.details else 0.0)
        headers.append(_rectangle(left, top, card.width, header, corners))
        colour = _INPUT if box.is_input else _COLORS.get(box.family, _OTHER)
        colours.append(_FROZEN if box.trainable is False else colour)
        if card.details:
            rules.append([(left, top + header), (left + card.width, top + header)])
        _write(axes, card, x, top + _PAD / 2 + _LEADING / 2)
    axes.add_collection(PathCollection(bodies, facecolor="white", edgecolor="none", zorder=3))
    axes.add_collection(PathCollection(headers, facecolor=colours, edgecolor="none", zorder=3.1))
    axes.add_collection(LineCollection(rules, color=_INK, linewidth=0.5, zorder=3.2))
    outline = {"facecolor": "none", "edgecolor": _INK, "linewidth": 0.8, "zorder": 3.3}
    axes.add_collection(PathCollection(bodies, **outline))


def _write(axes: Any, card: _NodeBox, x: float, y: float) -> None:
    """Writes the lines of a card, the first one round `y`."""
    style = {"family": _FONT, "ha": "center", "va": "center_baseline", "parse_math": False}
    lines = [(card.title[0], _TITLE, "bold", _INK, 0.0)]
    lines += [(text, _NAME, "normal", _SOFT_INK, 0.0) for text in card.title[1:]]
    lines += [(text, _DETAIL, "normal", _INK, _PAD) for text in card.details]
    for n, (text, size, weight, ink, down) in enumerate(lines):
        axes.text(
            x,
            y + n * _LEADING + down,
            text,
            fontsize=size,
            weight=weight,
            color=ink,
            zorder=4,
            **style,
        )


def _rectangle(
    left: float, top: float, width: float, height: float, corners: tuple[float, float]
) -> Any:
    """Returns the path of a rectangle whose upper and lower corners are round."""
    from matplotlib.path import Path

    (a, b), right, bottom = corners, left + width, top + height
    steps = [
        ((right - a, top), (right, top), (right, top + a)),
        ((right, bottom - b), (right, bottom), (right - b, bottom)),
        ((left + b, bottom), (left, bottom), (left, bottom - b)),
        ((left, top + a), (left, top), (left + a, top)),
    ]
    vertices, codes = [(left + a, top)], [Path.MOVETO]
    for step in steps:
        vertices += step
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, (left + a, top)], [*codes, Path.CLOSEPOLY])


def _head(line: Any) -> Any:
    """Returns the arrowhead at the end of a line."""
    from matplotlib.path import Path

    (a, b), (x, y) = line.vertices[-2:]
    length = math.hypot(x - a, y - b) or 1.0
    dx, dy = (x - a) / length, (y - b) / length
    back, half = (x - dx * _HEAD, y - dy * _HEAD), _HEAD * 0.38
    left, right = (
        (back[0] - dy * half, back[1] + dx * half),
        (back[0] + dy * half, back[1] - dx * half),
    )
    return Path([left, (x, y), right, left], closed=True)


def _path(points: list[Point], splines: str, page: _Canvas) -> Any:
    from matplotlib.path import Path

    if splines == "ortho":
        vertices, codes = _rounded(points)
    elif splines in ("curved", "spline", "true"):
        vertices, codes = _curved([p for p in points if not p.soft])
    else:
        vertices = [(p.x, p.y) for p in points if not p.soft]
        codes = [Path.MOVETO] + [Path.LINETO] * (len(vertices) - 1)
    return Path([page.at(*v) for v in vertices], codes)


def _rounded(points: list[Point]) -> tuple[list[tuple[float, float]], list[Any]]:
    """Straight lines through the points, with round corners."""
    from matplotlib.path import Path

    vertices, codes = [points[0][:2]], [Path.MOVETO]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        ends = []
        for other in (before, after):
            dx, dy = other.x - at.x, other.y - at.y
            length = abs(dx) + abs(dy)
            part = min(_CORNER, length / 2) / length if length else 0.0
            ends.append((at.x + dx * part, at.y + dy * part))
        vertices += [ends[0], at[:2], ends[1]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return [*vertices, points[-1][:2]], [*codes, Path.LINETO]


def _curved(points: list[Point]) -> tuple[list[tuple[float, float]], list[Any]]:
    """Straight lines along the ranks' direction, and curves where the route changes its lane."""
    from matplotlib.path import Path

    vertices, codes = [points[0][:2]], [Path.MOVETO]
    for a, b in pairwise(points):
        if abs(a.x - b.x) > 1e-3 and abs(a.y - b.y) > 1e-3:
            middle = (a.y + b.y) / 2
            vertices += [(a.x, middle), (b.x, middle), b[:2]]
            codes += [Path.CURVE4] * 3
        else:
            vertices.append(b[:2])
            codes.append(Path.LINETO)
    return vertices, codes
