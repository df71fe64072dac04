"""The SQL of one kind of evidence, derived from its Struct so that a column is named in one place only."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from service.world.packed import LINE as SHARE_LINE
from service.world.packed import SET
from service.world.rows import KINDS, Row

LINE = "staged_from_line"
"""The column beside a staged row that says on which line of its file it stands."""


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
    def written(self) -> str:
        """The newest row of each key written after revision $1 and up to $2, and last whether it withdraws the key."""
        key, columns = self._listed(self.key), self._listed(self.columns)
        return (
            f"select distinct on ({key}) {columns}, retracted from {self.quoted}"
            f" where revision > $1 and revision <= $2 order by {key}, revision desc"
        )

    def packed_at(self, whole: tuple[str, ...], line: tuple[str, ...]) -> str:
        """The rows that stand at revision $1, packed.

        The columns of `whole` once, how many rows have them in common, and the `line` columns of these as a JSON array
        in UTF-8 with an array for each row.
        """
        lines = f"json_agg(json_build_array({self._listed(line)}))::text"
        return (
            f"select {self._listed(whole)}, count(*), convert_to({lines}, 'UTF8')"
            f" from ({self.standing('revision <= $1')}) s group by {self._listed(whole)}"
        )

    @property
    def stage(self) -> str:
        """Creates an empty temporary table of this kind's columns, and of the line a row was read from, if any."""
        columns = self._listed(self.columns)
        return (
            f"create temporary table {self.staging} on commit drop"
            f" as select {columns}, null::integer as {LINE} from {self.quoted} limit 0"
        )

    @property
    def unstage(self) -> str:
        """Drops the staged rows."""
        return f"drop table {self.staging}"

    @property
    def repeated(self) -> str:
        """Up to $1 keys that are staged with different contents, and where."""
        key, columns = self._listed(self.key), self._listed(self.columns)
        return (
            f"select {key}, array_agg({LINE} order by {LINE}) as lines"
            f" from (select {columns}, min({LINE}) as {LINE} from {self.staging} group by {columns}) s"
            f" group by {key} having count(*) > 1 order by min({LINE}) limit $1"
        )

    def breaking(self, condition: str) -> str:
        """Up to $1 staged rows that break a condition of the ledger's, by their keys and lines."""
        return (
            f"select {self._listed(self.key)}, array[{LINE}] as lines from {self.staging}"
            f" where not ({condition}) order by {LINE} limit $1"
        )

    def overfull(self, part: str) -> str:
        """Up to $2 wholes whose staged shares add up to more than $1, all parts together; `part` names the parts."""
        whole = self._listed(tuple(column for column in self.key if column != part))
        parts = (
            f"select {self._listed(self.key)}, max(share) as share, min({LINE}) as {LINE} from {self.staging}"
            f" group by {self._listed(self.key)}"
        )
        return (
            f"select {whole}, round(sum(share)::numeric, 4) as sum, array[min({LINE})] as lines from ({parts}) parts"
            f" group by {whole} having sum(share) > $1 order by min({LINE}) limit $2"
        )

    @property
    def observe(self) -> str:
        """Moves into the ledger, as revision $1, the staged rows that differ from what stands."""
        columns, first = self._listed(self.columns), f'"{self.key[0]}"'
        rivals = self.standing(f"{first} in (select {first} from {self.staging})")
        return (
            f"insert into {self.quoted} (revision, {columns}) select $1::bigint, new.* from"
            f" (select {columns} from {self.staging} except select {columns} from ({rivals}) s) new"
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
        """Undoes, as revision $1, what revision $2 wrote and nothing newer replaced: back to what stood before it.

        That is the version before the newest one, or where there is none the newest one itself, withdrawn.
        """
        columns, key = self._listed(self.columns), self._listed(self.key)
        return (
            f"insert into {self.quoted} (revision, retracted, {columns})"
            f" select $1::bigint, retracted or versions = 1, {columns} from (select *,"
            f" row_number() over newest_first as age, first_value(revision) over newest_first as newest,"
            f" count(*) over (partition by {key}) as versions"
            f" from {self.quoted} window newest_first as (partition by {key} order by revision desc)) v"
            f" where newest = $2 and age = least(2, versions)"
        )

    @property
    def replaced(self) -> str:
        """How many rows that revision $1 wrote took the place of rows that stood before it."""
        key, first = self._listed(self.key), f'"{self.key[0]}"'
        before = self.standing(f"revision < $1 and {first} in (select {first} from {self.quoted} where revision = $1)")
        return (
            f"select count(*) from (select {key} from {self.quoted} where revision = $1"
            f" intersect select {key} from ({before}) s) both_times"
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted SHA-256 of each row that stands, the same wherever the same rows stand."""
        return (
            "select encode(sha256(coalesce(string_agg(row_hash, '' order by row_hash), '')), 'hex') from (select"
            f" sha256(convert_to(row({self._listed(self.columns)})::text, 'UTF8')) as row_hash"
            f" from ({self.standing()}) s) hashes"
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

SHARE_SETS: str = TABLES["share"].packed_at(SET, SHARE_LINE)
"""All share sets that stand at revision $1, packed."""
