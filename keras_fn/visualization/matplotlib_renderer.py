"""Renders diagrams with Matplotlib; no other program is needed."""

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

# Header color by family of layers; light enough for dark text.
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

_INPUT_COLOR, _DEFAULT_COLOR, _FROZEN_COLOR = "#D5F0D0", "#F3E3D3", "#ECECEC"

_TEXT_COLOR, _SECONDARY_TEXT, _EDGE_COLOR, _FRAME_COLOR = "#1B1F24", "#57606A", "#6E7781", "#8C959F"

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {"pil_kwargs": {"compress_level": 3}},  # half the time, slightly larger files
    "svg": {"metadata": {"Date": None}},  # the same model results in the same file
}

_FONT = "DejaVu Sans"

_TITLE, _NAME, _DETAIL = 9.0, 7.5, 7.5  # points

_PAD, _LEADING = 0.09, 0.155  # inches

_MARGIN, _FRAME_PAD, _FRAME_TITLE = 0.25, 0.2, 0.22

_SHAPE = re.compile(r"(→ )?(\d+ × )?\([^()]*\)")  # shapes, which are not wrapped

_MAX_CHARACTERS = 48  # per line of a box

_CORNER, _HEAD = 0.07, 0.085

_MAX_PIXELS, _MAX_SIDE = 36e6, 60_000


class _NodeBox(NamedTuple):
    """A box with its text and its size in inches."""

    box: Box
    title: list[str]
    details: list[str]
    width: float
    height: float


@dataclass
class _Drawing:
    """Everything to draw, in inches across and along the ranks."""

    width: float = 0.0
    height: float = 0.0
    boxes: list[tuple[_NodeBox, float, float]] = field(default_factory=list)
    frames: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    lines: list[tuple[list[Point], bool]] = field(
        default_factory=list
    )  # with or without an arrowhead

    def add(self, other: "_Drawing", x: float, y: float) -> None:
        """Adds another drawing with its corner at `(x, y)`."""
        self.boxes += [(node, x + a, y + b) for node, a, b in other.boxes]
        self.frames += [(name, x + a, y + b, w, h) for name, a, b, w, h in other.frames]
        self.lines += [
            ([Point(x + p.x, y + p.y, p.right_angle_only) for p in points], arrow)
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
    """Renders a diagram.

    Args:
        diagram: The diagram.
        show: The details that the boxes display.
        rankdir: Direction of the edges: "TB", "BT", "LR" or "RL".
        splines: "ortho" for right angles, "curved" or "spline" for curves, else straight lines.
        dpi: Resolution in pixels per inch; reduced if the image would be too large for a file.
        format: An image format that Matplotlib supports.

    Returns:
        The content of the image file.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: Any = {"svg.fonttype": "none", "svg.hashsalt": "keras_fn", "pdf.fonttype": 42}
    with rc_context(style), warnings.catch_warnings():
        # Characters that the font lacks are drawn as empty boxes.
        warnings.simplefilter("ignore")
        drawing = _BoxLayout(show, rankdir).arrange(diagram)
        canvas = _Canvas(drawing, rankdir)
        figure = Figure(figsize=(canvas.width, canvas.height), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, canvas.width), ylim=(canvas.height, 0))
        axes.set_axis_off()
        _draw(axes, canvas, drawing, splines)
        area, side = canvas.width * canvas.height, max(canvas.width, canvas.height)
        dpi = min(dpi, (_MAX_PIXELS / area) ** 0.5, _MAX_SIDE / side)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=format, dpi=dpi, **_SAVE_OPTIONS.get(format, {}))
    return buffer.getvalue()


# -------------------------------------------------------------------- layout


class _BoxLayout:
    def __init__(self, show: DisplayOptions, rankdir: str):
        from matplotlib.textpath import TextToPath

        self.show = show
        self.upright, self.title_last = rankdir in ("TB", "BT"), rankdir == "BT"
        self.measure = TextToPath().get_text_width_height_descent

    def arrange(
        self,
        diagram: Diagram,
        entries: Sequence[str] = (),
        exits: Sequence[str] = (),
    ) -> _Drawing:
        """Lays out a diagram, with edges from its border to `entries` and from `exits`."""
        owner = {key: i for i, item in enumerate(diagram.items) for key in _keys(item)}
        boxes = self._measure_boxes([item for item in diagram.items if isinstance(item, Box)])
        inner: dict[int, _Drawing] = {}
        ports: dict[tuple[int, str, bool], float] = {}
        ends = [*diagram.edges, *(("", key) for key in entries), *((key, "") for key in exits)]
        for i, item in enumerate(diagram.items):
            if isinstance(item, Diagram):
                inner[i], frame_ports = self._frame(item, i, owner, ends)
                ports.update(frame_ports)
        sizes: dict[Any, tuple[float, float]] = {}
        for i, item in enumerate(diagram.items):
            part = inner[i] if isinstance(item, Diagram) else boxes[item.key]
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
        return self._assemble(diagram, layout, boxes, inner, edges)

    def _frame(
        self, item: Diagram, i: int, owner: dict[str, int], ends: list[tuple[str, str]]
    ) -> tuple[_Drawing, dict[tuple[int, str, bool], float]]:
        """Lays out a nested diagram in a frame; also returns where edges cross the frame."""
        entries = list(dict.fromkeys(b for _, b in ends if owner.get(b) == i))
        exits = list(dict.fromkeys(a for a, _ in ends if owner.get(a) == i))
        content = self.arrange(item, entries, exits)
        left, right, start, end = self._padding(bool(entries), bool(exits))
        framed = _Drawing(content.width + left + right, content.height + start + end)
        framed.frames.append((item.name, 0.0, 0.0, framed.width, framed.height))
        framed.add(content, left, start)
        ports = content.lines[len(content.lines) - len(entries) - len(exits) :]
        crossings = {}
        for n, (key, (points, _)) in enumerate(zip([*entries, *exits], ports, strict=True)):
            is_exit = n >= len(entries)
            border = points[-1] if is_exit else points[0]
            crossings[i, key, is_exit] = border.x + left - framed.width / 2
        return framed, crossings

    def _padding(self, has_entries: bool, has_exits: bool) -> tuple[float, float, float, float]:
        """Returns the padding of a frame in inches: across before and after, then along.

        Sides that edges cross have space already. The title is at the top of the canvas.
        """
        title = _FRAME_PAD + _FRAME_TITLE
        if not self.upright:
            ends = (0.0 if has_entries else _FRAME_PAD, 0.0 if has_exits else _FRAME_PAD)
            return title, _FRAME_PAD, *ends
        start, end = (_FRAME_PAD, title) if self.title_last else (title, _FRAME_PAD)
        return _FRAME_PAD, _FRAME_PAD, 0.0 if has_entries else start, 0.0 if has_exits else end

    def _assemble(
        self,
        diagram: Diagram,
        layout: Layout,
        boxes: dict[str, _NodeBox],
        inner: dict[int, _Drawing],
        edges: list[Edge],
    ) -> _Drawing:
        drawing = _Drawing(layout.width, layout.height)
        for i, item in enumerate(diagram.items):
            x, y = layout.centers[i]
            if isinstance(item, Box):
                drawing.boxes.append((boxes[item.key], x, y))
            else:
                part = inner[i]
                drawing.add(part, x - part.width / 2, y - part.height / 2)
        for edge, route in zip(edges, layout.routes, strict=True):
            target = edge.target
            at_box = isinstance(target, int) and target not in inner
            drawing.lines.append((route, at_box))
        return drawing

    def _measure_boxes(self, boxes: list[Box]) -> dict[str, _NodeBox]:
        """Measures the boxes of a diagram; all have the width of the widest, for a regular look."""
        texts = {box.key: self._texts(box) for box in boxes}
        width = max((self._width(*text) for text in texts.values()), default=0.0) + 2 * _PAD
        return {
            box.key: _NodeBox(box, *texts[box.key], max(width, 0.9), _height(*texts[box.key]))
            for box in boxes
        }

    def _texts(self, box: Box) -> tuple[list[str], list[str]]:
        title = [box.class_name, box.name] if self.show.names else [box.class_name]
        title = [
            textwrap.shorten(t, _MAX_CHARACTERS, placeholder="…") if " " in t else _truncate(t)
            for t in title
        ]
        details = [
            part
            for line in detail_lines(box, self.show)
            for part in textwrap.wrap(_SHAPE.sub(_keep_together, line), _MAX_CHARACTERS)
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


def _keep_together(match: re.Match[str]) -> str:
    return match[0].replace(" ", "\xa0")


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


def _height(title: list[str], details: list[str]) -> float:
    header = len(title) * _LEADING + _PAD
    return header + (len(details) * _LEADING + _PAD if details else 0.0)


def _keys(item: Box | Diagram) -> Iterator[str]:
    if isinstance(item, Box):
        yield item.key
    else:
        for inner in item.items:
            yield from _keys(inner)


# -------------------------------------------------------------------- drawing


class _Canvas:
    """Converts coordinates across and along the ranks to the canvas, from its top left."""

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
        """Returns left, top, width and height of a rectangle on the canvas."""
        (a, b), (c, d) = self.at(x, y), self.at(x + w, y + h)
        return min(a, c), min(b, d), abs(a - c), abs(b - d)


def _draw(axes: Any, canvas: _Canvas, drawing: _Drawing, splines: str) -> None:
    from matplotlib.collections import PathCollection

    frames = [canvas.rectangle(*frame[1:]) for frame in drawing.frames]
    paths = [_rectangle(*frame, (_CORNER * 1.5, _CORNER * 1.5)) for frame in frames]
    dashes = {"edgecolor": _FRAME_COLOR, "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 1}
    axes.add_collection(PathCollection(paths, facecolor="#00000006", **dashes))
    for (left, top, _, _), (name, *_) in zip(frames, drawing.frames, strict=True):
        axes.text(
            left + _PAD,
            top + 0.15,
            _truncate(name),
            color=_SECONDARY_TEXT,
            fontsize=8,
            family=_FONT,
            style="italic",
            va="center",
            parse_math=False,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    lines = [_path(points, splines, canvas) for points, _ in drawing.lines]
    heads = [
        _arrowhead(line) for line, (_, arrow) in zip(lines, drawing.lines, strict=True) if arrow
    ]
    style = {"edgecolor": _EDGE_COLOR, "linewidth": 1.0, "zorder": 2}
    axes.add_collection(PathCollection(lines, facecolor="none", capstyle="butt", **style))
    axes.add_collection(PathCollection(heads, facecolor=_EDGE_COLOR, joinstyle="miter", **style))
    _draw_boxes(axes, [(node, *canvas.at(x, y)) for node, x, y in drawing.boxes])


def _draw_boxes(axes: Any, boxes: list[tuple[_NodeBox, float, float]]) -> None:
    from matplotlib.collections import LineCollection, PathCollection

    bodies, headers, colors, rules = [], [], [], []
    for node, x, y in boxes:
        box = node.box
        left, top = x - node.width / 2, y - node.height / 2
        header = len(node.title) * _LEADING + _PAD
        bodies.append(_rectangle(left, top, node.width, node.height, (_CORNER, _CORNER)))
        corners = (_CORNER, _CORNER if not node.details else 0.0)
        headers.append(_rectangle(left, top, node.width, header, corners))
        color = _INPUT_COLOR if box.is_input else _COLORS.get(box.family, _DEFAULT_COLOR)
        colors.append(_FROZEN_COLOR if box.trainable is False else color)
        if node.details:
            rules.append([(left, top + header), (left + node.width, top + header)])
        _draw_text(axes, node, x, top + _PAD / 2 + _LEADING / 2)
    axes.add_collection(PathCollection(bodies, facecolor="white", edgecolor="none", zorder=3))
    axes.add_collection(PathCollection(headers, facecolor=colors, edgecolor="none", zorder=3.1))
    axes.add_collection(LineCollection(rules, color=_TEXT_COLOR, linewidth=0.5, zorder=3.2))
    outline = {"facecolor": "none", "edgecolor": _TEXT_COLOR, "linewidth": 0.8, "zorder": 3.3}
    axes.add_collection(PathCollection(bodies, **outline))


def _draw_text(axes: Any, node: _NodeBox, x: float, y: float) -> None:
    """Draws the lines of text of a box, the first one centered at `y`."""
    style = {"family": _FONT, "ha": "center", "va": "center_baseline", "parse_math": False}
    lines = [(node.title[0], _TITLE, "bold", _TEXT_COLOR, 0.0)]
    lines += [(text, _NAME, "normal", _SECONDARY_TEXT, 0.0) for text in node.title[1:]]
    lines += [(text, _DETAIL, "normal", _TEXT_COLOR, _PAD) for text in node.details]
    for n, (text, size, weight, color, down) in enumerate(lines):
        axes.text(
            x,
            y + n * _LEADING + down,
            text,
            fontsize=size,
            weight=weight,
            color=color,
            zorder=4,
            **style,
        )


def _rectangle(
    left: float, top: float, width: float, height: float, corners: tuple[float, float]
) -> Any:
    """Returns the path of a rectangle with the radii of its upper and lower corners."""
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


def _arrowhead(line: Any) -> Any:
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


def _path(points: list[Point], splines: str, canvas: _Canvas) -> Any:
    from matplotlib.path import Path

    if splines == "ortho":
        vertices, codes = _round_corners(points)
    elif splines in ("curved", "spline", "true"):
        vertices, codes = _curve([p for p in points if not p.right_angle_only])
    else:
        vertices = [(p.x, p.y) for p in points if not p.right_angle_only]
        codes = [Path.MOVETO] + [Path.LINETO] * (len(vertices) - 1)
    return Path([canvas.at(*v) for v in vertices], codes)


def _round_corners(points: list[Point]) -> tuple[list[tuple[float, float]], list[Any]]:
    """Returns straight lines through the points, with rounded corners."""
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


def _curve(points: list[Point]) -> tuple[list[tuple[float, float]], list[Any]]:
    """Returns straight lines along the edges' direction, and curves between lanes."""
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
