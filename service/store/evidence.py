"""The SQL of one kind of evidence, derived from its Struct so that a column is named in one place only."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from service.world.rows import KINDS, Row


@dataclass(frozen=True)
class Table:
    """A kind's table: its name, its columns in the Struct's order, its key, and the statements over them."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    nullable: frozenset[str] = frozenset()

    def _listed(self, columns: tuple[str, ...], prefix: str = "") -> str:
        return ", ".join(f'{prefix}"{column}"' for column in columns)

    def same_key(self, left: str, right: str) -> str:
        """That two rows speak about the same thing. Only `=` can use the key's index."""
        alike = {True: "is not distinct from", False: "="}
        return " and ".join(
            f'{left}."{column}" {alike[column in self.nullable]} {right}."{column}"' for column in self.key
        )

    def standing(self, condition: str = "true") -> str:
        """The rows that stand under `condition`: the newest of each key unless it retracts."""
        key = self._listed(self.key)
        return (
            f"select * from (select distinct on ({key}) * from {self.quoted} where {condition}"
            f" order by {key}, revision desc) newest where not retracted"
        )

    @property
    def quoted(self) -> str:
        """The table's name as SQL takes it."""
        return f'"{self.name}"'

    @property
    def staging(self) -> str:
        """The name of the temporary table rows are copied into."""
        return f"staged_{self.name}"

    @property
    def at(self) -> str:
        """All rows that stand at revision $1, in key order."""
        return f"select {self._listed(self.columns)} from ({self.standing('revision <= $1')}) s"

    @property
    def stage(self) -> str:
        """Creates an empty temporary table of this kind's columns that lives as long as the transaction."""
        columns = self._listed(self.columns)
        return f"create temporary table {self.staging} on commit drop as select {columns} from {self.quoted} limit 0"

    @property
    def repeated(self) -> str:
        """One staged row whose key is staged twice with different content, if there is one."""
        return (
            f"select {self._listed(self.key)} from (select distinct * from {self.staging}) s"
            f" group by {self._listed(self.key)} having count(*) > 1 limit 1"
        )

    @property
    def observe(self) -> str:
        """Moves into the ledger, as revision $1, the staged rows that differ from what stands."""
        columns = self._listed(self.columns)
        return (
            f"insert into {self.quoted} (revision, {columns}) select $1::bigint, new.* from"
            f" (select {columns} from {self.staging} except select {columns} from ({self.standing()}) s) new"
        )

    @property
    def retract(self) -> str:
        """Withdraws, as revision $1, the standing rows whose key is staged."""
        columns, key = self._listed(self.columns), self._listed(self.key)
        return (
            f"insert into {self.quoted} (revision, retracted, {columns})"
            f" select distinct on ({key}) $1::bigint, true, {columns} from (select {columns} from ({self.standing()}) s"
            f" where row({key})::text in (select row({key})::text from {self.staging})) s"
        )

    @property
    def retract_revision(self) -> str:
        """Undoes, as revision $1, what revision $2 wrote and nothing newer replaced: back to what stood before it."""
        columns = self._listed(self.columns)
        return (
            f"insert into {self.quoted} (revision, retracted, {columns})"
            f" select $1::bigint, coalesce(before.retracted, true), {self._picked('before', 'undone')}"
            f" from {self.quoted} undone left join lateral (select * from {self.quoted} older"
            f" where {self.same_key('older', 'undone')} and older.revision < $2 order by revision desc limit 1) before"
            f" on true where undone.revision = $2 and not exists (select from {self.quoted} newer"
            f" where {self.same_key('newer', 'undone')} and newer.revision > $2)"
        )

    def _picked(self, first: str, second: str) -> str:
        """Each column of `first` where that row exists, else of `second`."""
        return ", ".join(
            f'case when {first}.revision is null then {second}."{column}" else {first}."{column}" end'
            for column in self.columns
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the rows that stand, the same in any database that holds the same evidence."""
        return (
            "select encode(sha256(convert_to(coalesce(string_agg(line, E'\\n' order by line collate \"C\"), ''),"
            f" 'UTF8')), 'hex') from (select row({self._listed(self.columns)})::text as line"
            f" from ({self.standing()}) s) lines"
        )

    def strangers(self, column: str, targets: tuple[Table, ...], *, listed: bool, among: str) -> str:
        """Up to five values of `column` among the rows of `among` that no standing row of `targets` has as its key."""
        value = f'unnest("{column}")' if listed else f'"{column}"'
        known = " union all ".join(f'select "{target.key[0]}" from ({target.standing()}) t' for target in targets)
        return (
            f"select distinct value from (select {value} as value from {among}) v"
            f" where value is not null and value not in ({known}) order by value limit 5"
        )


def _table(kind: type[Row]) -> Table:
    nullable = frozenset(field.name for field in msgspec.structs.fields(kind) if field.default is None)
    return Table(kind.kind, kind.__struct_fields__, kind.key, nullable)


TABLES: dict[str, Table] = {kind.kind: _table(kind) for kind in KINDS}
