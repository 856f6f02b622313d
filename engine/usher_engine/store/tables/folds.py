"""Declares by table how its rows follow from the audit events, or why they do not have to (decisions/0049).

An event that changes a folded table carries the row it leaves (`store.told_rows`). Events of versions before that say
less: *older* reads what they say, and only that is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Table

#: A row's primary key; one that begins with "" stands for a row of which an older event does not say the key.
Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """
    What the audit event number *seq* says of a row: values by column, perhaps not of every column.

    The value ``...`` says that the column is not empty. *perhaps*: an older event may have removed the row.
    """

    values: Mapping[str, Any]
    seq: int
    perhaps: bool = False


State: TypeAlias = dict[Key, Told]


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """An audit event as the folds read it."""

    seq: int
    kind: str
    actor: str
    subject: str
    business_key: str
    why: str
    details: Mapping[str, Any]

    @property
    def setting(self) -> str:
        """What a SettingChanged is about."""
        return str(self.details.get("setting", "")) if self.kind == "SettingChanged" else ""

    @property
    def carries_rows(self) -> bool:
        """Whether the event carries the rows it left; then *older* has nothing to read in it."""
        return "rows" in self.details

    def tell(self, state: State, key: Key, **values: Any) -> None:
        """Add *values* to what *state* says of a row."""
        before = state.get(key)
        state[key] = Told(values={**(before.values if before else {}), **values}, seq=self.seq)


#: Applies an event that carries no row, or the consequences that the rows it carries do not say.
Older: TypeAlias = Callable[[State, Happened], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """
    How the rows of a table follow from the audit events.

    *digested* columns stand in the events as SHA-256 only; *free* ones are not compared, each for a reason. A row of
    which no event tells is no finding where *untold* says so.
    """

    older: Older
    digested: frozenset[str] = frozenset()
    free: Mapping[str, str] = field(default_factory=dict)
    untold: Callable[[Mapping[Any, Any]], bool] = lambda _row: False


def always_told(_state: State, _event: Happened) -> None:
    """The *older* of tables whose events have carried the rows from the first one on."""


def fold(table: Table, older: Older, **more: Any) -> None:
    """Let *table* be compared with the audit events; *more* as in `Fold`."""
    table.info["fold"] = Fold(older=older, **more)


def no_fold(reason: str, *tables: Table) -> None:
    """Say why *tables* are not compared with the audit events."""
    for table in tables:
        table.info["no fold"] = reason


def fold_of(table: Table) -> Fold | None:
    found: Fold | None = table.info.get("fold")
    return found


def why_no_fold(table: Table) -> str:
    """Why *table* has no fold; empty if nobody said."""
    return str(table.info.get("no fold", ""))
