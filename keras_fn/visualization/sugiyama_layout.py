"""Places the boxes of a graph in ranks, producers before consumers, and routes its edges.

The method of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981: break circles, give each vertex a rank, order the ranks by barycentres so that
few edges cross, then assign coordinates. `x` runs across the ranks and `y` along the edges.
"""

import math
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

NODE_SEP = 0.3  # between neighbours of a rank

RANK_SEP = 0.36  # between ranks

EDGE_SEP = 0.1  # between parallel pieces of edges in a gap

COLUMN_SEP = 0.6  # between columns

_LANE = 0.12  # width that an edge takes where it passes a rank

_LONGEST = 26.0  # a graph longer than this, and much longer than wide, is folded into columns

_MOST_LANES = 20_000  # places where edges pass a rank; edges beyond that run straight

_LIGHT = 1e-3  # edges that skip ranks give way

_EPS = 1e-3


class Edge(NamedTuple):
    """An edge, and how far from the middle of its boxes it leaves and arrives."""

    source: Hashable
    target: Hashable
    leaves: float = 0.0
    arrives: float = 0.0


class Point(NamedTuple):
    """A corner of a route. `soft` ones are there for right angles only."""

    x: float
    y: float
    soft: bool = False


@dataclass
class Layout:
    """Middles of the boxes, and a route for each edge, in the order given."""

    width: float
    height: float
    places: dict[Hashable, tuple[float, float]]
    routes: list[list[Point]]


def compute_layout(
    sizes: Mapping[Hashable, tuple[float, float]],
    edges: Sequence[Edge],
    first: Iterable[Hashable] = (),
    last: Iterable[Hashable] = (),
) -> Layout:
    """Places boxes of these sizes (across, along), and routes the edges between them.

    Args:
        sizes: The boxes.
        edges: The edges. Those that close a circle are drawn backwards.
        first: Boxes that must stand in the first rank.
        last: Boxes that must stand in the last rank.
    """
    index = {key: i for i, key in enumerate(sizes)}
    ends = [(index[e.source], index[e.target]) for e in edges]
    backward = _backward(len(index), ends)
    down = [(b, a) if i in backward else (a, b) for i, (a, b) in enumerate(ends)]
    ranks = _ranks(len(index), down, {index[k] for k in first}, {index[k] for k in last})
    grid = _Grid([*sizes.values()], ranks)
    fan_out, fan_in = Counter(a for a, _ in down), Counter(b for _, b in down)
    for i, (edge, (a, b)) in enumerate(zip(edges, down, strict=True)):
        # An edge beside a longer path, as in a residual block: the path shall stay straight.
        skips = ranks[b] > ranks[a] + 1 and fan_out[a] > 1 and fan_in[b] > 1
        leaves, arrives = edge.leaves, edge.arrives
        if i in backward:
            leaves, arrives = arrives, leaves
        grid.add_edge(a, b, leaves, arrives, _LIGHT if skips else 1.0)
    grid.order()
    grid.spread()
    plan = _LayoutPlan(grid)
    places = {key: plan.middle(i) for key, i in index.items()}
    routes = [plan.route(i) for i in range(len(edges))]
    routes = [route[::-1] if i in backward else route for i, route in enumerate(routes)]
    return Layout(plan.width, plan.height, places, routes)


def _backward(size: int, ends: Sequence[tuple[int, int]]) -> set[int]:
    """Returns the edges to turn round so that no circle is left."""
    leaving: list[list[int]] = [[] for _ in range(size)]
    for i, (a, _) in enumerate(ends):
        leaving[a].append(i)
    state = [0] * size  # 1: on the path from the root, 2: done
    found = set()
    for root in range(size):
        stack = [] if state[root] else [(root, iter(leaving[root]))]
        state[root] = state[root] or 1
        while stack:
            vertex, rest = stack[-1]
            for i in rest:
                target = ends[i][1]
                if state[target] == 1:
                    found.add(i)
                elif state[target] == 0:
                    state[target] = 1
                    stack.append((target, iter(leaving[target])))
                    break
            else:
                state[vertex] = 2
                stack.pop()
    return found


def _ranks(
    size: int, ends: Sequence[tuple[int, int]], first: set[int], last: set[int]
) -> list[int]:
    """Returns each vertex's rank: its longest path from a source, sources near their consumers."""
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
    """Part of an edge, from a vertex to one of the next rank."""

    above: int
    below: int
    leaves: float
    arrives: float
    weight: float


class _Grid:
    """Vertices by rank: boxes, and lanes where an edge passes a rank."""

    def __init__(self, sizes: list[tuple[float, float]], ranks: list[int]):
        self.sizes, self.rank = list(sizes), list(ranks)
        self.boxes = len(sizes)
        self.mass = [1.0] * len(sizes)
        self.ranks: list[list[int]] = [[] for _ in range(max(ranks, default=0) + 1)]
        for v, rank in enumerate(ranks):
            self.ranks[rank].append(v)
        self.up: list[list[_EdgeSegment]] = [[] for _ in sizes]
        self.down: list[list[_EdgeSegment]] = [[] for _ in sizes]
        self.chains: list[
            list[_EdgeSegment]
        ] = []  # the pieces of each edge; one piece may skip ranks
        self.x: list[float] = []

    def add_edge(self, a: int, b: int, leaves: float, arrives: float, weight: float) -> None:
        """Adds the edge, with a lane in each rank that it passes."""
        passed = range(self.rank[a] + 1, self.rank[b])
        if len(self.sizes) - self.boxes + len(passed) > _MOST_LANES or a == b:
            self.chains.append([_EdgeSegment(a, b, leaves, arrives, 0)])
            return
        chain = [a]
        for rank in passed:
            chain.append(len(self.sizes))
            self.ranks[rank].append(chain[-1])
            self.sizes.append((_LANE, 0.0))
            self.mass.append(weight)
            self.rank.append(rank)
            self.up.append([])
            self.down.append([])
        chain.append(b)
        pieces = []
        for v, w in pairwise(chain):
            piece = _EdgeSegment(v, w, leaves if v == a else 0, arrives if w == b else 0, weight)
            pieces.append(piece)
            self.down[v].append(piece)
            self.up[w].append(piece)
        self.chains.append(pieces)

    # ---------------------------------------------------------------- order

    def order(self) -> None:
        """Orders the ranks by barycentres, down and up, and keeps the best order seen."""
        best, fewest = [list(r) for r in self.ranks], self._crossings()
        for sweep in range(12 if len(self.sizes) < 3000 else 4):
            if not fewest:
                break
            downwards = sweep % 2 == 0
            ranks = self.ranks if downwards else self.ranks[::-1]
            for fixed, rank in pairwise(ranks):
                self._sort(rank, fixed, downwards)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(r) for r in self.ranks], crossings
        self.ranks = best

    def _sort(self, rank: list[int], fixed: list[int], downwards: bool) -> None:
        place = {v: i for i, v in enumerate(fixed)}

        def centre(entry: tuple[int, int]) -> float:
            i, v = entry
            found = (
                [place[p.above] for p in self.up[v]]
                if downwards
                else [place[p.below] for p in self.down[v]]
            )
            return sum(found) / len(found) if found else i * len(fixed) / len(rank)

        rank[:] = [v for _, v in sorted(enumerate(rank), key=centre)]

    def _crossings(self) -> int:
        total = 0
        for above, below in pairwise(self.ranks):
            place = {v: i for i, v in enumerate(below)}
            seen: list[int] = []
            for v in above:
                ends = sorted(place[p.below] for p in self.down[v])
                total += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    # ---------------------------------------------------------------- across

    def spread(self) -> None:
        """Sets `x`: chains stand straight, and near the middle of what they are joined to."""
        _Blocks(self).settle()
        for rank in self.ranks:
            self._keep_apart(rank)
        left = min((x - self.sizes[v][0] / 2 for v, x in enumerate(self.x)), default=0)
        self.x = [x - left for x in self.x]

    def distance(self, v: int, w: int) -> float:
        """Returns how far apart neighbours of a rank stand."""
        return (self.sizes[v][0] + self.sizes[w][0]) / 2 + NODE_SEP

    def _keep_apart(self, rank: list[int]) -> None:
        """Moves vertices that are too near to each other, as little as can be.

        Least squares with an order to keep: isotonic regression by pooling adjacent violators.
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
    """Vertices that stand right below each other, moved as one."""

    def __init__(self, grid: _Grid):
        self.grid = grid
        size = len(grid.sizes)
        self.of, self.shift = [-1] * size, [0.0] * size  # of a vertex: its chain, its place in it
        self.mass: list[float] = []
        above = self._aligned()
        for rank in grid.ranks:
            for v in rank:
                piece = above.get(v)
                if piece is None:
                    self.of[v] = len(self.mass)
                    self.mass.append(0.0)
                else:
                    self.of[v] = self.of[piece.above]
                    self.shift[v] = self.shift[piece.above] + piece.leaves - piece.arrives
                self.mass[self.of[v]] += grid.mass[v]

    def _aligned(self) -> dict[int, _EdgeSegment]:
        """Returns the straight piece above each vertex that has one."""
        grid, found = self.grid, {}
        for above, below in pairwise(grid.ranks):
            place = {v: i for rank in (above, below) for i, v in enumerate(rank)}
            wanted = [_middle(grid.down[v], place) for v in above]
            mutual = [p for p in wanted if p and _middle(grid.up[p.below], place) is p]
            taken: list[tuple[int, int]] = []
            for piece in sorted(mutual, key=lambda p: -p.weight):
                a, b = place[piece.above], place[piece.below]
                if all((a < c) == (b < d) for c, d in taken):  # chains that cross tell no order
                    taken.append((a, b))
                    found[piece.below] = piece
        return found

    def settle(self) -> None:
        """Finds places for the chains, and sets the `x` of their vertices."""
        grid = self.grid
        places = self._packed()
        joints = self._joints()
        apart: dict[tuple[int, int], float] = {}
        for rank in grid.ranks:
            for v, w in pairwise(rank):
                key = (self.of[v], self.of[w])
                distance = grid.distance(v, w) + self.shift[v] - self.shift[w]
                apart[key] = max(apart.get(key, -math.inf), distance)
        order = list(range(len(places)))
        rounds = 48 if len(places) < 500 else 12
        for turn in range(rounds):
            order.reverse()
            step = max(0.1, 1 - turn / rounds)  # smaller ones at the end, to come to rest
            for c in order:
                total = weights = 0.0
                for other, offset, weight in joints[c]:
                    total += weight * (places[other] + offset)
                    weights += weight
                if weights:
                    places[c] += step * (total / weights - places[c])
            self._push_apart(places, apart)
        grid.x = [places[c] + shift for c, shift in zip(self.of, self.shift, strict=True)]

    def _packed(self) -> list[float]:
        """Returns places to begin with: each rank side by side, round the middle."""
        total, number = [0.0] * len(self.mass), [0] * len(self.mass)
        for rank in self.grid.ranks:
            steps = [self.grid.distance(v, w) for v, w in pairwise(rank)]
            for v, x in zip(rank, accumulate(steps, initial=-sum(steps) / 2), strict=False):
                total[self.of[v]] += x - self.shift[v]
                number[self.of[v]] += 1
        return [t / n for t, n in zip(total, number, strict=True)]

    def _joints(self) -> list[list[tuple[int, float, float]]]:
        """Returns for each chain the others it is joined to, how far beside them, and how much."""
        joints: list[list[tuple[int, float, float]]] = [[] for _ in self.mass]
        for piece in (p for pieces in self.grid.down for p in pieces):
            a, b = self.of[piece.above], self.of[piece.below]
            if a != b:
                start = self.shift[piece.above] + piece.leaves
                offset = start - self.shift[piece.below] - piece.arrives
                joints[b].append((a, offset, piece.weight))
                joints[a].append((b, -offset, piece.weight))
        return joints

    def _push_apart(self, places: list[float], apart: dict[tuple[int, int], float]) -> None:
        """Moves chains that are too near to each other, the light ones more (Hildreth's method)."""
        pushed = dict.fromkeys(apart, 0.0)
        for _ in range(40):
            worst = 0.0
            for (a, b), distance in apart.items():
                lack = distance - (places[b] - places[a])
                push = lack / (1 / self.mass[a] + 1 / self.mass[b])
                push = max(push, -pushed[a, b])
                pushed[a, b] += push
                places[a] -= push / self.mass[a]
                places[b] += push / self.mass[b]
                worst = max(worst, lack)
            if worst < _EPS:
                return


def _middle(pieces: list[_EdgeSegment], place: dict[int, int]) -> _EdgeSegment | None:
    """Returns the piece in the middle of the heaviest ones, if there is one in the middle."""
    heaviest = max((p.weight for p in pieces), default=0.0)
    heavy = [p for p in pieces if p.weight == heaviest]
    heavy.sort(key=lambda p: (place[p.above], place[p.below]))
    return heavy[len(heavy) // 2] if len(heavy) % 2 else None


@dataclass
class _Column:
    ranks: range
    left: float = 0.0  # what to add to `x`
    right: float = 0.0
    folds: int = 0  # edges that went on to the next column so far


class _LayoutPlan:
    """Where things stand: ranks below each other, in one column or several."""

    def __init__(self, grid: _Grid):
        self.grid = grid
        self.heights = [max((grid.sizes[v][1] for v in rank), default=0.0) for rank in grid.ranks]
        self.tracks = [self._tracks(k) for k in range(len(grid.ranks))]
        self.gaps = [RANK_SEP + EDGE_SEP * max(t.values(), default=0) for t in self.tracks]
        self.columns = self._wrapped_columns()
        self.column_of = [c for c, column in enumerate(self.columns) for _ in column.ranks]
        self.tops: list[float] = []
        self.width = self.height = 0.0
        for column in self.columns:
            self._place(column)
        self.width -= COLUMN_SEP

    def _tracks(self, k: int) -> dict[int, int]:
        """Gives each vertex with bent edges a track in the gap below its rank."""
        x, spans = self.grid.x, []
        for v in self.grid.ranks[k]:
            ends = [(x[v] + p.leaves, x[p.below] + p.arrives) for p in self.grid.down[v]]
            bent = [x for pair in ends if abs(pair[0] - pair[1]) > _EPS for x in pair]
            if bent:
                spans.append((min(bent), max(bent), v))
        tracks, reach = {}, []  # where each track is free again
        for start, end, v in sorted(spans):
            free = [t for t, taken in enumerate(reach) if taken <= start + _EPS]
            track = free[0] if free else len(reach)
            reach[track : track + 1] = [end]
            tracks[v] = track
        return tracks

    def _wrapped_columns(self) -> list[_Column]:
        """Breaks the ranks into columns where they would make a strip too long to look at."""
        steps = [h + g for h, g in zip(self.heights, self.gaps, strict=True)]
        total, ranks = sum(steps), self.grid.ranks
        widths = (self.grid.x[v] + self.grid.sizes[v][0] / 2 for rank in ranks for v in rank)
        width = max(widths, default=0.0) + COLUMN_SEP
        if total < _LONGEST or total < 4 * width:
            return [_Column(range(len(ranks)))]
        number = max(2, round(total / max((total * width) ** 0.5, _LONGEST / 2)))
        starts, length, best = [0], 0.0, (math.inf, math.inf, 0)
        for k, step in enumerate(steps):
            length += step
            if length * number > 0.85 * total:  # break where the fewest edges pass, from here on
                passing = sum(len(self.grid.down[v]) for v in ranks[k])
                best = min(best, (passing, abs(length * number - total), k + 1))
            if length * number > 1.05 * total and len(starts) < number:
                starts.append(best[-1])
                length, best = sum(steps[best[-1] : k + 1]), (math.inf, math.inf, 0)
        ends = [*starts[1:], len(ranks)]
        return [_Column(range(a, b)) for a, b in zip(starts, ends, strict=True) if b > a]

    def _place(self, column: _Column) -> None:
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
        for piece in self.grid.chains[edge]:
            a, b, leaves, arrives, _ = piece
            if a == b:
                return self._loop(a)
            points.append(self._border(a, leaves, 1))
            points += self._bend(piece)
            points.append(self._border(b, arrives, -1))
        apart = [math.dist(p[:2], q[:2]) > 1e-6 for p, q in pairwise(points)]
        return points[:1] + [p for p, far in zip(points[1:], apart, strict=True) if far]

    def _loop(self, v: int) -> list[Point]:
        """Returns the corners of an edge from a box to itself: a handle at its side."""
        (x, y), (width, height) = self.middle(v), self.grid.sizes[v]
        side, quarter = x + width / 2, height / 4
        out = side + NODE_SEP / 2
        return [
            Point(side, y + quarter),
            Point(out, y + quarter),
            Point(out, y - quarter),
            Point(side, y - quarter),
        ]

    def _border(self, v: int, offset: float, side: int) -> Point:
        x, y = self.middle(v)
        if v >= self.grid.boxes:  # a lane runs through the whole rank
            return Point(x, y + side * self.heights[self.grid.rank[v]] / 2)
        return Point(x + offset, y + side * self.grid.sizes[v][1] / 2)

    def _bend(self, piece: _EdgeSegment) -> list[Point]:
        """Returns the corners in the gap between two ranks."""
        grid = self.grid
        k, low = grid.rank[piece.above], grid.rank[piece.below]
        x, end = self.x(piece.above) + piece.leaves, self.x(piece.below) + piece.arrives
        bottom, top = self.tops[k] + self.heights[k], self.tops[low]
        column = self.columns[self.column_of[k]]
        if self.column_of[k] != self.column_of[low]:
            column.folds += 1
            shift = EDGE_SEP * (column.folds % 4)
            gutter = column.right + COLUMN_SEP / 2 + shift - 2 * EDGE_SEP
            y, high = bottom + RANK_SEP / 2 + shift / 2, top - RANK_SEP / 2 - shift / 2
            return [Point(x, y), Point(gutter, y), Point(gutter, high), Point(end, high)]
        if low != k + 1:  # an edge without lanes
            return []
        points = [Point(x, bottom)]
        if abs(x - end) > _EPS:
            y = bottom + RANK_SEP / 2 + EDGE_SEP * self.tracks[k].get(piece.above, 0)
            points += [Point(x, y, soft=True), Point(end, y, soft=True)]
        return [*points, Point(end, top)]
