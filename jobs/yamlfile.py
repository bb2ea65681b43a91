"""YAML as plain values that remember where they stood, and YAML's traps, told in words.

It knows nothing of what a job file may hold. PyYAML is YAML 1.1: `no` is false, `1:30` is ninety, `010` is eight. What such a scalar
silently became is kept beside what was written, so that whoever refuses the value can say so.
"""

import re
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]

_MAX_NODES, _MAX_DEPTH = 50_000, 30  # aliases of aliases can stand for billions of values, or for themselves


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at a place: `path` as in `("tasks", 1, "type")`, `line` from 1."""

    path: Path
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a value stands, from line 1; `surprise` says what YAML made of an unquoted scalar that looks like a string."""

    line: int
    surprise: str | None = None


@dataclass(slots=True)
class YamlFile:
    """A file's value, the spot of every part of it, and what is wrong with it as YAML."""

    value: object = None
    spots: dict[Path, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of the value at `path`, or of what would hold it."""
        while path and path not in self.spots:
            path = path[:-1]
        return self.spots[path].line if path in self.spots else 1

    def surprise(self, path: Path) -> str | None:
        """Explain what YAML made of the unquoted scalar at `path`, where that is not a string."""
        return self.spots[path].surprise if path in self.spots else None


def parse(text: str) -> YamlFile:
    """Read one YAML document; what is wrong with it is in `problems`, and then the value may be incomplete."""
    file = YamlFile()
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            file.value = _Builder(file).value_of(root, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        file.problems.append(Problem((), mark.line + 1 if mark else 1, _explained(error, text)))
    except (yaml.YAMLError, RecursionError) as error:
        file.problems.append(Problem((), 1, f"not readable as YAML: {error}"))
    return file


class _Builder:
    """Walks the nodes once, following aliases and merges."""

    def __init__(self, file: YamlFile) -> None:
        self._file = file
        self._loader = yaml.SafeLoader("")
        self._nodes = 0

    def value_of(self, node: yaml.Node, path: Path) -> object:
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(path) > _MAX_DEPTH:
            raise yaml.YAMLError("nested too deep, or its aliases unfold to too many values")
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            self._file.spots[path] = Spot(line)
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self._file.spots[path] = Spot(line)
            return [self.value_of(inner, (*path, index)) for index, inner in enumerate(node.value)]
        value = self._loader.construct_object(node)
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        self._file.spots[path] = Spot(line, _surprise(node.value, value) if is_plain else None)
        self._refuse_base_60(node, value, path)
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        self._refuse_doubles(node, path)
        self._loader.flatten_mapping(node)
        result = {}
        for key, inner in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            result[name] = self.value_of(inner, (*path, name))
            if isinstance(
                inner, yaml.ScalarNode
            ):  # a nested value's own line says where it begins; a key's line is where one looks
                continue
            self._file.spots[(*path, name)] = Spot(key.start_mark.line + 1)
        return result

    def _refuse_doubles(self, node: yaml.MappingNode, path: Path) -> None:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen and name != "<<":
                message = f"this key stands twice, first in line {seen[name]}: remove one of the two"
                self._file.problems.append(Problem((*path, name), line, message))
            seen.setdefault(name, line)

    def _refuse_base_60(self, node: yaml.Node, value: object, path: Path) -> None:
        if type(value) in (int, float) and re.search(r":|^[-+]?0[0-7_]+$", node.value):
            message = f"YAML 1.1 reads the unquoted {node.value} as {value}: write the number plainly, or put it in quotes"
            self._file.problems.append(Problem(path, node.start_mark.line + 1, message))


def _surprise(written: str, value: object) -> str | None:
    if isinstance(value, str):
        return None
    if not written:
        return 'nothing stands here, which YAML reads as null; an empty text is ""'
    meaning = "null" if value is None else str(value).lower() if isinstance(value, bool) else _noun(value)
    return f'YAML reads the unquoted {written} as {meaning}; put it in quotes: "{written}"'


def _noun(value: object) -> str:
    return f"the number {value}" if isinstance(value, int | float) else "a date"


def _explained(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    problem = error.problem or ""
    if "\\t" in problem and line[: mark.column if mark else 0].strip() == "":
        return "YAML allows no tabs before a key: indent with spaces"
    if "but got '?'" in problem:
        return 'an unquoted `?` ends a value inside { } or [ ]: put the question in quotes, "like this?"'
    if "mapping values are not allowed" in problem or "but got ':'" in problem:
        return 'an unquoted value may hold no `: `, and keys of one mapping begin in one column: put the value in quotes, "like: this"'
    if "mapping keys are not allowed" in problem:
        return 'an unquoted value may not begin with `? `: put it in quotes, "? like this"'
    if "alias" in (error.context or "") or "undefined alias" in problem:
        return 'an unquoted value may not begin with `*`: put the pattern in quotes, "**/*.pdf"'
    if "could not determine a constructor" in problem:
        return "tags (`!…`) have no place in a job file: remove it, or put the value in quotes"
    if "cannot start any token" in problem:
        return f"a value that begins with {_character(line, mark)} must stand in quotes"
    return f"not YAML: {': '.join(part for part in (error.context, problem) if part)}"


def _character(line: str, mark: yaml.Mark | None) -> str:
    return f"`{line[mark.column]}`" if mark and mark.column < len(line) else "such a character"
