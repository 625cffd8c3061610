"""What something costs, counted instead of timed: the same on every machine and at every load.

``opcodes`` counts the instructions of Python's interpreter. What C does in one instruction is not in it; of that, only
the engine of regular expressions can take more than linear time, and ``match_steps`` counts its steps on a model: a
backtracking matcher over the same parse tree, that takes the branches in the same order and has none of the engine's
shortcuts, so that it never counts less than the engine does.
"""

import gc
import re
import sys
from collections.abc import Callable, Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

Follow = Callable[[int], Iterator[int]]


def opcodes(function: Callable[[], Any]) -> int:
    """How many instructions a call takes, in all the Python functions that it calls."""
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    gc.disable()  # what others left behind would be finalized within, and counted
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
        gc.enable()
    return count


def match_steps(pattern: re.Pattern[str], method: str, text: str) -> int:
    """How many steps a method of a pattern takes on a text: one for each look at a character or a place."""
    model = _Model(pattern, text)
    if method in {"match", "fullmatch"}:
        model.matches(0, whole=method == "fullmatch")
        return model.steps
    position = 0
    while position <= len(text):
        end = model.matches(position)
        if end is not None and method == "search":
            break
        position = end if end is not None and end > position else position + 1
    return model.steps


class _Model:
    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.tree = _parser.parse(pattern.pattern, pattern.flags)
        self.flags = pattern.flags
        self.text = text
        self.steps = 0
        self.groups: dict[int, str] = {}
        self._sets: dict[int, Callable[[str], Any]] = {}

    def matches(self, start: int, *, whole: bool = False) -> int | None:
        """Where a match that begins there ends."""
        for end in self.run(list(self.tree), 0, start):
            if not whole or end == len(self.text):
                return end
        return None

    def run(self, nodes: list[Any], index: int, position: int) -> Iterator[int]:
        """Each end of the nodes from this one on, in the order in which the engine tries them."""
        self.steps += 1
        while index < len(nodes):
            kind, argument = nodes[index]
            if kind in _SINGLE:
                if not self.takes(nodes[index], position):
                    return
                position += 1
                index += 1
                continue
            if kind is op.AT:
                if not self.at(argument, position):
                    return
                index += 1
                continue
            for end in self.ends(kind, argument, position):
                yield from self.run(nodes, index + 1, end)
            return
        yield position

    def ends(self, kind: Any, argument: Any, position: int) -> Iterator[int]:
        """Each end of one node that may have several."""
        if kind is op.SUBPATTERN:
            yield from self.run(list(argument[3]), 0, position)
        elif kind is op.BRANCH:
            for branch in argument[1]:
                yield from self.run(list(branch), 0, position)
        elif kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
            yield from self.repeat(kind, *argument, position)
        elif kind is op.ATOMIC_GROUP:
            yield from _first(self.run(list(argument), 0, position))
        elif kind in {op.ASSERT, op.ASSERT_NOT}:
            direction, inside = argument
            begin = position if direction > 0 else position - inside.getwidth()[1]
            found = begin >= 0 and next(self.run(list(inside), 0, begin), None) is not None
            if found is (kind is op.ASSERT):
                yield position
        else:
            raise NotImplementedError(f"the model does not know {kind}")

    def repeat(self, kind: Any, least: int, most: int, inside: Any, position: int) -> Iterator[int]:
        """A repetition of one character is counted forward once and given back; of others, round by round."""
        nodes = list(inside)
        if len(nodes) == 1 and nodes[0][0] in _SINGLE:
            limit = len(self.text) if most == op.MAXREPEAT else min(len(self.text), position + most)
            end = position
            while end < limit and self.takes(nodes[0], end):
                end += 1
            if end - position < least:
                return
            ends: Any = range(end, position + least - 1, -1)
            if kind is op.POSSESSIVE_REPEAT:
                ends = (end,)
            for one in ends if kind is not op.MIN_REPEAT else reversed(ends):
                self.steps += 1
                yield one
            return
        rounds = self.rounds(nodes, least, most, position)
        yield from _first(rounds) if kind is op.POSSESSIVE_REPEAT else rounds

    def rounds(self, nodes: list[Any], least: int, most: int, position: int) -> Iterator[int]:
        """Greedy, without recursion: a long text has more rounds than Python has frames."""
        stack = [(position, self.run(nodes, 0, position) if most else iter(()))]
        while stack:
            start, ends = stack[-1]
            end = next((one for one in ends if one > start), None)
            if end is not None:
                done = len(stack)
                stack.append((end, self.run(nodes, 0, end) if done < most else iter(())))
                continue
            stack.pop()
            if len(stack) >= least:
                self.steps += 1
                yield start

    def takes(self, node: Any, position: int) -> bool:
        """Whether a node of one character takes the one that is there."""
        self.steps += 1
        if position >= len(self.text):
            return False
        known = self._sets.get(id(node))
        if known is None:
            known = self._sets[id(node)] = _compiled(node, self.flags)
        return known(self.text[position]) is not None

    def at(self, where: Any, position: int) -> bool:
        """Whether the place is one that an anchor means."""
        self.steps += 1
        if where in {op.AT_BEGINNING, op.AT_BEGINNING_STRING}:
            return position == 0
        if where in {op.AT_END, op.AT_END_STRING}:
            return position == len(self.text)
        if where is op.AT_BOUNDARY:
            around = self.text[max(position - 1, 0) : position], self.text[position : position + 1]
            return bool(re.match(r"\w", around[0])) is not bool(re.match(r"\w", around[1]))
        raise NotImplementedError(f"the model does not know {where}")


_SINGLE = {op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY, op.RANGE}


def _compiled(node: Any, flags: int) -> Callable[[str], Any]:
    """One character's test: the engine's own, so that the two agree on sets and case."""
    tree = _parser.SubPattern(_parser.State(), [node])
    tree.state.flags, tree.state.str = flags, ""
    from re import _compiler  # type: ignore[attr-defined]

    return _compiler.compile(tree).fullmatch  # type: ignore[no-any-return]


def _first(ends: Iterator[int]) -> Iterator[int]:
    for end in ends:
        yield end
        return
