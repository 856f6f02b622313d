"""A process package: its files by relative path, immutable and identified by a hash of the content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from usher_engine.core.canonical import canonical
from usher_engine.core.errors import InvalidDefinition

from .bpmn_file import read_diagram
from .drawings import Drawing, main_processes, read_drawings
from .safe_xml import parse_xml

MAX_FILE_BYTES = 1_000_000
MAX_PACKAGE_BYTES = 8_000_000
MAX_FILES = 200
MAX_PATH = 200


@dataclass(frozen=True)
class Package:
    """
    Raw files by relative path with ``/``. The constructor checks only paths and sizes; the gate checks the contents.

    One executable process is the main process, which a case starts; it may call the others.
    """

    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        problems = [(path, reason) for path in sorted(self.files) if (reason := _path_problem(path))]
        problems += [
            (path, f"The file is larger than {MAX_FILE_BYTES // 1000} kB.")
            for path, content in sorted(self.files.items())
            if len(content) > MAX_FILE_BYTES
        ]
        if len(self.files) > MAX_FILES:
            problems.append(("package", f"The package has more than {MAX_FILES} files."))
        if sum(map(len, self.files.values())) > MAX_PACKAGE_BYTES:
            problems.append(("package", f"The package is larger than {MAX_PACKAGE_BYTES // 1_000_000} MB."))
        if problems:
            raise InvalidDefinition(problems=problems)
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of {path: SHA-256 of the file}."""
        content = {path: hashlib.sha256(file).hexdigest() for path, file in self.files.items()}
        return hashlib.sha256(canonical(dict(content))).hexdigest()

    @property
    def key(self) -> str:
        """Id of the main process; raises `InvalidDefinition` if there is none or more than one."""
        return self._main[0]

    @property
    def name(self) -> str:
        """Display name of the main process; its id if it has no name."""
        return self._main[1] or self._main[0]

    @cached_property
    def _main(self) -> tuple[str, str]:
        trees = [(parse_xml(self.files[path], path), path) for path in self.diagrams()]
        processes = [process for tree, path in trees for process in read_diagram(tree, path).processes]
        mains = main_processes(processes)
        if len(mains) == 1:
            return mains[0].id, mains[0].name
        executable = any(process.executable for process in processes)
        problem = _main_problem(self.diagrams(), [process.id for process in mains], executable=executable)
        raise InvalidDefinition(problems=[("package", problem)])

    @cached_property
    def drawings(self) -> tuple[Drawing, ...]:
        """Its diagrams, the main one first, then those it calls; an unreadable file is listed with its problem."""
        return read_drawings(self.files)

    def drawings_of(self, process: str) -> tuple[Drawing, ...]:
        """Its diagrams, first the one that draws *process* or, if that cannot be read, the file that names it."""
        named = f'id="{process}"'.encode()
        ranks = [
            (not one.draws(process), not (one.problem and named in self.files[one.file]), place)
            for place, one in enumerate(self.drawings)
        ]
        return tuple(self.drawings[place] for *_, place in sorted(ranks)) if process else self.drawings

    def text(self, name: str) -> str:
        """Return the file *name* as text; raises `InvalidDefinition` if it is missing or not UTF-8."""
        if name not in self.files:
            raise InvalidDefinition(problems=[(name, "The package has no file of this name.")])
        try:
            return self.files[name].decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidDefinition(problems=[(name, "The file is not UTF-8 text; save it as UTF-8.")]) from None

    def diagrams(self) -> tuple[str, ...]:
        return self._with_ending(".bpmn")

    def forms(self) -> tuple[str, ...]:
        return self._with_ending(".form")

    def decisions(self) -> tuple[str, ...]:
        return self._with_ending(".dmn")

    def _with_ending(self, ending: str) -> tuple[str, ...]:
        return tuple(path for path in self.files if path.endswith(ending))


def _main_problem(diagrams: tuple[str, ...], mains: list[str], *, executable: bool) -> str:
    if not diagrams:
        return "The package has no .bpmn file."
    if not executable:
        return "No process is executable; set isExecutable on the main process."
    if not mains:
        return "Every executable process is called by another one; one of them must be the main process."
    return f"Several processes could be the main one: {', '.join(sorted(mains))}. Keep one or call the others from it."


def _path_problem(path: str) -> str:
    parts = path.split("/")
    if not path or len(path) > MAX_PATH:
        return f"A path must have 1 to {MAX_PATH} characters."
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or ":" in path:
        return "A path must be relative to the package, with / between its parts."
    if any(ord(letter) < ord(" ") or "\ud800" <= letter <= "\udfff" for letter in path):
        return "A path must not contain control characters."
    return ""
