"""Layered graph drawing (Sugiyama layout): assigns boxes to ranks and routes the edges.

The method of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981: remove cycles, assign a rank to each vertex, order the ranks by barycenters to
reduce edge crossings, then assign coordinates. `x` runs across the ranks and `y` along the edges.
Lengths are in inches; `*_SEP` are named as in Graphviz.
"""

import math
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

NODE_SEP = 0.3  # between neighbors in a rank
RANK_SEP = 0.36  # between ranks
EDGE_SEP = 0.1  # between parallel segments in a gap
COLUMN_SEP = 0.6  # between columns

_DUMMY_WIDTH = 0.12  # of a dummy node: where an edge passes a rank
_MAX_LENGTH = 26.0  # a graph longer than this, and much longer than wide, wraps into columns
_MAX_DUMMY_NODES = 20_000  # edges beyond that run straight
_SKIP_WEIGHT = 1e-3  # of edges that skip ranks, compared with 1
_EPSILON = 1e-3


class Edge(NamedTuple):
    """An edge, with the offsets of its ends from the centers of its boxes, across the ranks."""

    source: Hashable
    target: Hashable
    source_offset: float = 0.0
    target_offset: float = 0.0


class Point(NamedTuple):
    """A corner of a route. Some are needed for orthogonal routes only."""

    x: float
    y: float
    right_angle_only: bool = False


@dataclass
class Layout:
    """Centers of the boxes, and a route for each edge, in the given order."""

    width: float
    height: float
    centers: dict[Hashable, tuple[float, float]]
    routes: list[list[Point]]


def compute_layout(
    sizes: Mapping[Hashable, tuple[float, float]],
    edges: Sequence[Edge],
    first: Iterable[Hashable] = (),
    last: Iterable[Hashable] = (),
) -> Layout:
    """Computes the layout of a graph: positions of the boxes and routes of the edges.

    Args:
        sizes: Size of each box, across and along the ranks, in inches.
        edges: The edges. Edges that close a cycle are drawn backward.
        first: Boxes that must be in the first rank.
        last: Boxes that must be in the last rank.

    Returns:
        The layout, with coordinates in inches from the top left.
    """
    index = {key: i for i, key in enumerate(sizes)}
    ends = [(index[e.source], index[e.target]) for e in edges]
    backward = _feedback_edges(len(index), ends)
    down = [(b, a) if i in backward else (a, b) for i, (a, b) in enumerate(ends)]
    ranks = _ranks(len(index), down, {index[k] for k in first}, {index[k] for k in last})
    grid = _Grid([*sizes.values()], ranks)
    fan_out, fan_in = Counter(a for a, _ in down), Counter(b for _, b in down)
    for i, (edge, (a, b)) in enumerate(zip(edges, down, strict=True)):
        # An edge that bypasses a longer path, as in a residual block: keeps the path straight.
        skips = ranks[b] > ranks[a] + 1 and fan_out[a] > 1 and fan_in[b] > 1
        source_offset, target_offset = edge.source_offset, edge.target_offset
        if i in backward:
            source_offset, target_offset = target_offset, source_offset
        grid.add_edge(a, b, source_offset, target_offset, _SKIP_WEIGHT if skips else 1.0)
    grid.order()
    grid.assign_coordinates()
    plan = _LayoutPlan(grid)
    centers = {key: plan.middle(i) for key, i in index.items()}
    routes = [plan.route(i) for i in range(len(edges))]
    routes = [route[::-1] if i in backward else route for i, route in enumerate(routes)]
    return Layout(plan.width, plan.height, centers, routes)


def _feedback_edges(size: int, ends: Sequence[tuple[int, int]]) -> set[int]:
    """Returns the edges to reverse so that no cycle remains."""
    leaving: list[list[int]] = [[] for _ in range(size)]
    for i, (a, _) in enumerate(ends):
        leaving[a].append(i)
    state = [0] * size  # 1: on the path from the root, 2: done
    reversed_edges = set()
    for root in range(size):
        stack = [] if state[root] else [(root, iter(leaving[root]))]
        state[root] = state[root] or 1
        while stack:
            vertex, rest = stack[-1]
            for i in rest:
                target = ends[i][1]
                if state[target] == 1:
                    reversed_edges.add(i)
                elif state[target] == 0:
                    state[target] = 1
                    stack.append((target, iter(leaving[target])))
                    break
            else:
                state[vertex] = 2
                stack.pop()
    return reversed_edges


def _ranks(
    size: int, ends: Sequence[tuple[int, int]], first: set[int], last: set[int]
) -> list[int]:
    """Returns the rank of each vertex: its longest path from a source, sources near consumers."""
    above: list[list[int]] = [[] for _ in range(size)]
    below: list[list[int]] = [[] for _ in range(size)]
    for a, b in ends:
        if a != b:
            above[b].append(a)
            below[a].append(b)
    waiting = [len(x) for x in above]
    order = [v for v in range(size) if not waiting[v]]
    ranks = [0] * size
    for v in order:  # grows while it is read
        for w in below[v]:
            ranks[w] = max(ranks[w], ranks[v] + 1)
            waiting[w] -= 1
            if not waiting[w]:
                order.append(w)
    for v in reversed(order):
        if len(below[v]) > len(above[v]) and v not in first:
            ranks[v] = min(ranks[w] for w in below[v]) - 1
    for v in last:
        ranks[v] = max(ranks)
    return ranks


class _EdgeSegment(NamedTuple):
    """Segment of an edge, from a vertex to one in the next rank."""

    above: int
    below: int
    source_offset: float
    target_offset: float
    weight: float


class _Grid:
    """Vertices by rank: boxes, and dummy nodes where an edge passes a rank."""

    def __init__(self, sizes: list[tuple[float, float]], ranks: list[int]):
        self.sizes, self.rank = list(sizes), list(ranks)
        self.num_boxes = len(sizes)
        self.mass = [1.0] * len(sizes)
        self.ranks: list[list[int]] = [[] for _ in range(max(ranks, default=0) + 1)]
        for v, rank in enumerate(ranks):
            self.ranks[rank].append(v)
        self.up: list[list[_EdgeSegment]] = [[] for _ in sizes]
        self.down: list[list[_EdgeSegment]] = [[] for _ in sizes]
        self.segments: list[
            list[_EdgeSegment]
        ] = []  # the pieces of each edge; one piece may skip ranks
        self.x: list[float] = []

    def add_edge(
        self, a: int, b: int, source_offset: float, target_offset: float, weight: float
    ) -> None:
        """Adds the edge, with a dummy node in each rank that it passes."""
        passed = range(self.rank[a] + 1, self.rank[b])
        if len(self.sizes) - self.num_boxes + len(passed) > _MAX_DUMMY_NODES or a == b:
            self.segments.append([_EdgeSegment(a, b, source_offset, target_offset, 0)])
            return
        chain = [a]
        for rank in passed:
            chain.append(len(self.sizes))
            self.ranks[rank].append(chain[-1])
            self.sizes.append((_DUMMY_WIDTH, 0.0))
            self.mass.append(weight)
            self.rank.append(rank)
            self.up.append([])
            self.down.append([])
        chain.append(b)
        segments = []
        for v, w in pairwise(chain):
            segment = _EdgeSegment(
                v, w, source_offset if v == a else 0, target_offset if w == b else 0, weight
            )
            segments.append(segment)
            self.down[v].append(segment)
            self.up[w].append(segment)
        self.segments.append(segments)

    # ---------------------------------------------------------------- order

    def order(self) -> None:
        """Orders the ranks by barycenters, down and up, and keeps the best order seen."""
        best, fewest = [list(r) for r in self.ranks], self._crossings()
        for sweep in range(12 if len(self.sizes) < 3000 else 4):
            if not fewest:
                break
            downwards = sweep % 2 == 0
            ranks = self.ranks if downwards else self.ranks[::-1]
            for fixed, rank in pairwise(ranks):
                self._sort_rank(rank, fixed, downwards)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(r) for r in self.ranks], crossings
        self.ranks = best

    def _sort_rank(self, rank: list[int], fixed: list[int], downwards: bool) -> None:
        position = {v: i for i, v in enumerate(fixed)}

        def barycenter(entry: tuple[int, int]) -> float:
            i, v = entry
            positions = (
                [position[p.above] for p in self.up[v]]
                if downwards
                else [position[p.below] for p in self.down[v]]
            )
            return sum(positions) / len(positions) if positions else i * len(fixed) / len(rank)

        rank[:] = [v for _, v in sorted(enumerate(rank), key=barycenter)]

    def _crossings(self) -> int:
        total = 0
        for above, below in pairwise(self.ranks):
            position = {v: i for i, v in enumerate(below)}
            seen: list[int] = []
            for v in above:
                ends = sorted(position[p.below] for p in self.down[v])
                total += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    # ---------------------------------------------------------------- across

    def assign_coordinates(self) -> None:
        """Sets `x`: blocks are straight, and near the mean of their connections."""
        _Blocks(self).relax()
        for rank in self.ranks:
            self._separate(rank)
        left = min((x - self.sizes[v][0] / 2 for v, x in enumerate(self.x)), default=0)
        self.x = [x - left for x in self.x]

    def distance(self, v: int, w: int) -> float:
        """Returns the minimum distance between the centers of neighbors in a rank."""
        return (self.sizes[v][0] + self.sizes[w][0]) / 2 + NODE_SEP

    def _separate(self, rank: list[int]) -> None:
        """Moves vertices that are too close to each other by the least squares.

        With the order fixed, this is isotonic regression: pool adjacent violators.
        """
        offset, offsets, blocks = 0.0, [], []  # a block moves as one: [mean, mass, members]
        for i, v in enumerate(rank):
            offset += self.distance(rank[i - 1], v) - NODE_SEP / 2 if i else 0.0
            offsets.append(offset)
            mean, mass, members = self.x[v] - offset, self.mass[v], 1
            while blocks and blocks[-1][0] > mean:
                left, heavy, others = blocks.pop()
                mean = (mean * mass + left * heavy) / (mass + heavy)
                mass, members = mass + heavy, members + others
            blocks.append((mean, mass, members))
        means = [mean for mean, _, members in blocks for _ in range(members)]
        for v, mean, offset in zip(rank, means, offsets, strict=True):
            self.x[v] = mean + offset


class _Blocks:
    """Blocks of vertices aligned below each other, which move as one."""

    def __init__(self, grid: _Grid):
        self.grid = grid
        size = len(grid.sizes)
        self.block_of, self.shift = [-1] * size, [0.0] * size  # of each vertex
        self.mass: list[float] = []
        above = self._align()
        for rank in grid.ranks:
            for v in rank:
                segment = above.get(v)
                if segment is None:
                    self.block_of[v] = len(self.mass)
                    self.mass.append(0.0)
                else:
                    self.block_of[v] = self.block_of[segment.above]
                    self.shift[v] = (
                        self.shift[segment.above] + segment.source_offset - segment.target_offset
                    )
                self.mass[self.block_of[v]] += grid.mass[v]

    def _align(self) -> dict[int, _EdgeSegment]:
        """Returns the straight segment above each vertex that has one."""
        grid, aligned = self.grid, {}
        for above, below in pairwise(grid.ranks):
            position = {v: i for rank in (above, below) for i, v in enumerate(rank)}
            medians = [_median_segment(grid.down[v], position) for v in above]
            mutual = [p for p in medians if p and _median_segment(grid.up[p.below], position) is p]
            kept: list[tuple[int, int]] = []
            for segment in sorted(mutual, key=lambda p: -p.weight):
                a, b = position[segment.above], position[segment.below]
                if all((a < c) == (b < d) for c, d in kept):  # crossing blocks define no order
                    kept.append((a, b))
                    aligned[segment.below] = segment
        return aligned

    def relax(self) -> None:
        """Computes positions for the blocks, and sets the `x` of their vertices."""
        grid = self.grid
        positions = self._pack()
        connections = self._connections_of()
        distances: dict[tuple[int, int], float] = {}
        for rank in grid.ranks:
            for v, w in pairwise(rank):
                key = (self.block_of[v], self.block_of[w])
                distance = grid.distance(v, w) + self.shift[v] - self.shift[w]
                distances[key] = max(distances.get(key, -math.inf), distance)
        order = list(range(len(positions)))
        rounds = 48 if len(positions) < 500 else 12
        for turn in range(rounds):
            order.reverse()
            step = max(0.1, 1 - turn / rounds)  # smaller at the end, to converge
            for c in order:
                total = weights = 0.0
                for other, offset, weight in connections[c]:
                    total += weight * (positions[other] + offset)
                    weights += weight
                if weights:
                    positions[c] += step * (total / weights - positions[c])
            self._separate_blocks(positions, distances)
        grid.x = [positions[c] + shift for c, shift in zip(self.block_of, self.shift, strict=True)]

    def _pack(self) -> list[float]:
        """Returns initial positions: each rank side by side, centered."""
        total, number = [0.0] * len(self.mass), [0] * len(self.mass)
        for rank in self.grid.ranks:
            steps = [self.grid.distance(v, w) for v, w in pairwise(rank)]
            for v, x in zip(rank, accumulate(steps, initial=-sum(steps) / 2), strict=False):
                total[self.block_of[v]] += x - self.shift[v]
                number[self.block_of[v]] += 1
        return [t / n for t, n in zip(total, number, strict=True)]

    def _connections_of(self) -> list[list[tuple[int, float, float]]]:
        """Returns the connections of each block: the other block, the offset, the weight."""
        connections: list[list[tuple[int, float, float]]] = [[] for _ in self.mass]
        for segment in (p for segments in self.grid.down for p in segments):
            a, b = self.block_of[segment.above], self.block_of[segment.below]
            if a != b:
                start = self.shift[segment.above] + segment.source_offset
                offset = start - self.shift[segment.below] - segment.target_offset
                connections[b].append((a, offset, segment.weight))
                connections[a].append((b, -offset, segment.weight))
        return connections

    def _separate_blocks(
        self, positions: list[float], distances: dict[tuple[int, int], float]
    ) -> None:
        """Moves blocks that are too close to each other, light ones more (Hildreth's method)."""
        pushed = dict.fromkeys(distances, 0.0)
        for _ in range(40):
            max_violation = 0.0
            for (a, b), distance in distances.items():
                violation = distance - (positions[b] - positions[a])
                push = violation / (1 / self.mass[a] + 1 / self.mass[b])
                push = max(push, -pushed[a, b])
                pushed[a, b] += push
                positions[a] -= push / self.mass[a]
                positions[b] += push / self.mass[b]
                max_violation = max(max_violation, violation)
            if max_violation < _EPSILON:
                return


def _median_segment(segments: list[_EdgeSegment], position: dict[int, int]) -> _EdgeSegment | None:
    """Returns the median of the heaviest segments; None for an even number of them."""
    heaviest = max((p.weight for p in segments), default=0.0)
    heavy = [p for p in segments if p.weight == heaviest]
    heavy.sort(key=lambda p: (position[p.above], position[p.below]))
    return heavy[len(heavy) // 2] if len(heavy) % 2 else None


@dataclass
class _Column:
    ranks: range
    left: float = 0.0  # offset of `x`
    right: float = 0.0
    wrapped_edges: int = 0  # edges to the next column so far


class _LayoutPlan:
    """Final coordinates: ranks below each other, in one column or several."""

    def __init__(self, grid: _Grid):
        self.grid = grid
        self.heights = [max((grid.sizes[v][1] for v in rank), default=0.0) for rank in grid.ranks]
        self.tracks = [self._assign_tracks(k) for k in range(len(grid.ranks))]
        self.gaps = [RANK_SEP + EDGE_SEP * max(t.values(), default=0) for t in self.tracks]
        self.columns = self._wrap_into_columns()
        self.column_of = [c for c, column in enumerate(self.columns) for _ in column.ranks]
        self.tops: list[float] = []
        self.width = self.height = 0.0
        for column in self.columns:
            self._place_column(column)
        self.width -= COLUMN_SEP

    def _assign_tracks(self, k: int) -> dict[int, int]:
        """Assigns a track in the gap below the rank to each vertex with bent edges."""
        x, spans = self.grid.x, []
        for v in self.grid.ranks[k]:
            ends = [
                (x[v] + p.source_offset, x[p.below] + p.target_offset) for p in self.grid.down[v]
            ]
            bent = [x for pair in ends if abs(pair[0] - pair[1]) > _EPSILON for x in pair]
            if bent:
                spans.append((min(bent), max(bent), v))
        tracks, reach = {}, []  # the end of each track
        for start, end, v in sorted(spans):
            free = [t for t, taken in enumerate(reach) if taken <= start + _EPSILON]
            track = free[0] if free else len(reach)
            reach[track : track + 1] = [end]
            tracks[v] = track
        return tracks

    def _wrap_into_columns(self) -> list[_Column]:
        """Wraps the ranks into columns if the drawing would be too long and narrow."""
        steps = [h + g for h, g in zip(self.heights, self.gaps, strict=True)]
        total, ranks = sum(steps), self.grid.ranks
        widths = (self.grid.x[v] + self.grid.sizes[v][0] / 2 for rank in ranks for v in rank)
        width = max(widths, default=0.0) + COLUMN_SEP
        if total < _MAX_LENGTH or total < 4 * width:
            return [_Column(range(len(ranks)))]
        number = max(2, round(total / max((total * width) ** 0.5, _MAX_LENGTH / 2)))
        starts, length, best = [0], 0.0, (math.inf, math.inf, 0)
        for k, step in enumerate(steps):
            length += step
            if length * number > 0.85 * total:  # from here on, wrap where the fewest edges pass
                passing = sum(len(self.grid.down[v]) for v in ranks[k])
                best = min(best, (passing, abs(length * number - total), k + 1))
            if length * number > 1.05 * total and len(starts) < number:
                starts.append(best[-1])
                length, best = sum(steps[best[-1] : k + 1]), (math.inf, math.inf, 0)
        ends = [*starts[1:], len(ranks)]
        return [_Column(range(a, b)) for a, b in zip(starts, ends, strict=True) if b > a]

    def _place_column(self, column: _Column) -> None:
        grid = self.grid
        inside = [v for k in column.ranks for v in grid.ranks[k]]
        left = min((grid.x[v] - grid.sizes[v][0] / 2 for v in inside), default=0.0)
        right = max((grid.x[v] + grid.sizes[v][0] / 2 for v in inside), default=0.0)
        column.left, column.right = self.width - left, self.width + right - left
        y = 0.0 if len(self.columns) == 1 else RANK_SEP
        for k in column.ranks:
            self.tops.append(y)
            y += self.heights[k] + self.gaps[k]
        self.height = max(
            self.height, y - (self.gaps[column.ranks[-1]] if len(column.ranks) else 0)
        )
        self.width = column.right + COLUMN_SEP

    def x(self, v: int) -> float:
        return self.grid.x[v] + self.columns[self.column_of[self.grid.rank[v]]].left

    def middle(self, v: int) -> tuple[float, float]:
        rank = self.grid.rank[v]
        return self.x(v), self.tops[rank] + self.heights[rank] / 2

    def route(self, edge: int) -> list[Point]:
        """Returns the corners of an edge, from the bottom of a box to the top of another."""
        points: list[Point] = []
        for segment in self.grid.segments[edge]:
            a, b, source_offset, target_offset, _ = segment
            if a == b:
                return self._loop(a)
            points.append(self._port(a, source_offset, 1))
            points += self._bend_in_gap(segment)
            points.append(self._port(b, target_offset, -1))
        is_distinct = [math.dist(p[:2], q[:2]) > 1e-6 for p, q in pairwise(points)]
        return points[:1] + [
            p for p, distinct in zip(points[1:], is_distinct, strict=True) if distinct
        ]

    def _loop(self, v: int) -> list[Point]:
        """Returns the corners of a self-loop: a handle at the side of the box."""
        (x, y), (width, height) = self.middle(v), self.grid.sizes[v]
        side, quarter = x + width / 2, height / 4
        out = side + NODE_SEP / 2
        return [
            Point(side, y + quarter),
            Point(out, y + quarter),
            Point(out, y - quarter),
            Point(side, y - quarter),
        ]

    def _port(self, v: int, offset: float, side: int) -> Point:
        x, y = self.middle(v)
        if v >= self.grid.num_boxes:  # a dummy node spans the whole rank
            return Point(x, y + side * self.heights[self.grid.rank[v]] / 2)
        return Point(x + offset, y + side * self.grid.sizes[v][1] / 2)

    def _bend_in_gap(self, segment: _EdgeSegment) -> list[Point]:
        """Returns the corners in the gap between two ranks."""
        grid = self.grid
        k, low = grid.rank[segment.above], grid.rank[segment.below]
        x, end = (
            self.x(segment.above) + segment.source_offset,
            self.x(segment.below) + segment.target_offset,
        )
        bottom, top = self.tops[k] + self.heights[k], self.tops[low]
        column = self.columns[self.column_of[k]]
        if self.column_of[k] != self.column_of[low]:
            column.wrapped_edges += 1
            shift = EDGE_SEP * (column.wrapped_edges % 4)
            gutter = column.right + COLUMN_SEP / 2 + shift - 2 * EDGE_SEP
            y, high = bottom + RANK_SEP / 2 + shift / 2, top - RANK_SEP / 2 - shift / 2
            return [Point(x, y), Point(gutter, y), Point(gutter, high), Point(end, high)]
        if low != k + 1:  # an edge without dummy nodes
            return []
        points = [Point(x, bottom)]
        if abs(x - end) > _EPSILON:
            y = bottom + RANK_SEP / 2 + EDGE_SEP * self.tracks[k].get(segment.above, 0)
            points += [Point(x, y, right_angle_only=True), Point(end, y, right_angle_only=True)]
        return [*points, Point(end, top)]
