"""How alike two tables are as trees of rows and cells: TEDS, and TEDS-struct, which looks at no words (Zhong et al. 2020).

Both tables are written anew from their cells, so header rows, styles and other ways to write the same table make no difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from apted import APTED, Config
from rapidfuzz.distance import Levenshtein

from jobs.evaluate.text import plain
from schemas.table import Table


@dataclass(slots=True)
class Node:
    """A table, a row or a cell."""

    tag: str
    spans: tuple[int, int] = (1, 1)
    text: str = ""
    children: list["Node"] = field(default_factory=list)


def likeness(said: Table, true: Table, *, words: bool = True) -> float:
    """Return 1 − edits / nodes of the larger tree, from 0 to 1; without `words`, of the structure alone."""
    left, right = tree(said, words=words), tree(true, words=words)
    larger = max(_size(left), _size(right))
    if left == right:  # most tables of a good run, and trees take time
        return 1.0
    edits = APTED(left, right, _Costs()).compute_edit_distance()
    return max(0.0, 1.0 - float(edits) / larger)


def likenesses(said: Sequence[Table], true: Sequence[Table], *, words: bool = True) -> list[float]:
    """Return the likeness of each pair of a page's tables, the most alike paired first; a table without its like counts 0."""
    pairs = sorted(
        ((likeness(a, b, words=words), i, j) for i, a in enumerate(said) for j, b in enumerate(true)),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    paired: list[float] = []
    left, right = set(range(len(said))), set(range(len(true)))
    for value, i, j in pairs:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            paired.append(value)
    return paired + [0.0] * (len(left) + len(right))


def tree(table: Table, *, words: bool = True) -> Node:
    """Return a table's tree: rows in order, cells from left to right."""
    rows = [Node("tr") for _ in range(table.n_rows)]
    for cell in sorted(table.cells, key=lambda cell: (cell.row_index, cell.col_index)):
        text = plain(cell.text) if words else ""
        rows[cell.row_index].children.append(Node("td", (cell.row_span, cell.col_span), text))
    return Node("table", children=rows)


def _size(node: Node) -> int:
    """Return how many nodes stand below a table; the table itself is alike always."""
    return sum(1 + _size(child) for child in node.children)


class _Costs(Config):  # type: ignore[misc] # apted has no types
    """Each node put in, taken out or turned into another kind costs 1; a cell's words cost their share of letters changed."""

    def rename(self, node1: Node, node2: Node) -> float:
        if (node1.tag, node1.spans) != (node2.tag, node2.spans):
            return 1.0
        return Levenshtein.normalized_distance(node1.text, node2.text)

    def children(self, node: Node) -> list[Node]:
        return node.children
