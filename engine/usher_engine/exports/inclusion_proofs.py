"""Proofs that a run of adjacent leaves is in the signed tree (RFC 9162, 2.1), and the nodes in such proofs.

Most steps of a case are adjacent, so one path proves all of them. For a single leaf the path is the inclusion proof of
the standard, with its hashes from left to right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from ..checkpoints.merkle import Head, leaf_hash, node_hash

#: `Nodes` keeps hashes of subtrees with this many leaves or more: half a megabyte for a million leaves.
BLOCK = 128


def _left(count: int) -> int:
    """Return how many of *count* leaves are in the left half: the largest power of two below *count*."""
    return 1 << (count - 1).bit_length() - 1


def range_path(first: int, end: int, size: int, node: Callable[[int, int], bytes]) -> list[bytes]:
    """
    Return the hashes that, with the leaves from *first* to before *end*, yield the root of a tree with *size* leaves.

    They belong to the largest subtrees without any of these leaves, from left to right. *node* returns the hash of a
    subtree by its first leaf and its number of leaves.
    """
    found: list[bytes] = []

    def walk(low: int, count: int) -> None:
        if low + count <= first or low >= end:
            found.append(node(low, count))
        elif low < first or low + count > end:
            left = _left(count)
            walk(low, left)
            walk(low + left, count - left)

    walk(0, size)
    return found


def root_from(first: int, entries: Sequence[bytes], size: int, path: Sequence[bytes]) -> bytes:
    """
    Return the root of a tree with *size* leaves in which *entries* begin at leaf *first*.

    Raises:
        ValueError: *path* is too long or too short.
    """
    end, left_over = first + len(entries), list(reversed(path))
    if not 0 <= first < end <= size:
        raise ValueError("These leaves are outside the tree.")

    def walk(low: int, count: int) -> bytes:
        if low + count <= first or low >= end:
            if not left_over:
                raise ValueError("The path is too short.")
            return left_over.pop()
        if count == 1:
            return leaf_hash(entries[low - first])
        left = _left(count)
        return node_hash(walk(low, left), walk(low + left, count - left))

    root = walk(0, size)
    if left_over:
        raise ValueError("The path is too long.")
    return root


def includes(head: Head, first: int, entries: Sequence[bytes], path: Sequence[bytes]) -> bool:
    """Whether *entries* begin at leaf *first* of the tree that *head* signed."""
    try:
        return root_from(first, entries, head.size, path).hex() == head.root
    except ValueError:
        return False


class Nodes:
    """
    The hashes of subtrees of a complete tree.

    Args:
        entries: The entries of all leaves, in order; read once.
        read: Returns the entries from one leaf to before another, to compute a small subtree.
    """

    def __init__(self, entries: Iterable[bytes], read: Callable[[int, int], list[bytes]]) -> None:
        self.size = 0
        self._levels: list[bytearray] = []
        self._read = read
        self._block = lru_cache(maxsize=256)(self._hashes)
        open_block: list[bytes] = []
        for one in entries:
            open_block.append(leaf_hash(one))
            self.size += 1
            if len(open_block) == BLOCK:
                self._add(0, _join(open_block))
                open_block.clear()

    def _add(self, level: int, digest: bytes) -> None:
        if level == len(self._levels):
            self._levels.append(bytearray())
        nodes = self._levels[level]
        nodes += digest
        if len(nodes) // 32 % 2 == 0:
            self._add(level + 1, node_hash(bytes(nodes[-64:-32]), bytes(nodes[-32:])))

    def node(self, low: int, count: int) -> bytes:
        """Return the hash of the subtree of *count* leaves from leaf *low*."""
        if count < BLOCK:
            block, first = divmod(low, BLOCK)
            return _join(self._block(block)[first : first + count])
        if count & (count - 1) == 0:
            at = low // count * 32
            return bytes(self._levels[(count // BLOCK).bit_length() - 1][at : at + 32])
        left = _left(count)
        return node_hash(self.node(low, left), self.node(low + left, count - left))

    def _hashes(self, block: int) -> list[bytes]:
        first = block * BLOCK
        return [leaf_hash(one) for one in self._read(first, min(first + BLOCK, self.size))]


def _join(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    left = _left(len(hashes))
    return node_hash(_join(hashes[:left]), _join(hashes[left:]))
