"""What stands on what: the objects that SQL has made, and those that each goes on using."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from expandcontract.domain.footprint import Touched
from expandcontract.lint.footprint.mentions import object_named
from expandcontract.lint.footprint.trace import Trace
from expandcontract.lint.footprint.traces import traces, traces_of_body
from expandcontract.lint.server.volatility import is_steady_builtin

# of pg_catalog and of the extensions that everybody has: volatile, and they touch nothing
_HARMLESS = frozenset(
    (
        *(
            "clock_timestamp",
            "crypt",
            "currval",
            "gen_random_bytes",
            "gen_random_uuid",
            "gen_salt",
            "lastval",
            "nextval",
        ),
        *("pg_advisory_lock", "pg_advisory_xact_lock", "pg_notify", "pg_sleep", "random", "set_config", "setseed"),
        *("setval", "timeofday", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4", "uuidv7"),
        *("unaccent", "similarity", "array_agg", "avg", "count", "jsonb_agg", "json_agg", "max", "min", "sum"),
    )
)


class Standing:
    """
    Who uses whom in a database, as far as SQL has told.

    Args:
        texts: SQL that made the objects: of the database as it is, and of whatever has been or is yet to be run.
            Nothing is ever taken back from it, so what was renamed or dropped since counts on.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._uses: dict[str | None, dict[Touched, set[Touched]]] = defaultdict(lambda: defaultdict(set))
        self._bodies: dict[str | None, list[list[Trace]]] = defaultdict(list)
        self._views: set[Touched] = set()
        for text in texts:
            for trace in traces(text):
                self._learn(trace)

    def _learn(self, trace: Trace) -> None:
        if trace.stays:
            for made in trace.changes:
                self._uses[made.name][made] |= trace.uses
        if trace.passes_on:
            self._views |= trace.changes
        if trace.body:
            (function,) = trace.changes
            self._bodies[function.name].append(list(traces_of_body(trace.body)))

    def knows(self, sought: Touched) -> bool:
        """Whether it has been told what that object stands on."""
        return any(known.meets(sought) and known.member == sought.member for known in self._uses.get(sought.name, ()))

    def used_by(self, touched: Iterable[Touched]) -> frozenset[Touched]:
        """These objects, and all that they stand on."""
        found: set[Touched] = set()
        waiting = list(touched)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self._directly_used_by(one)
        return frozenset(found)

    def _directly_used_by(self, touched: Touched) -> Iterator[Touched]:
        known = self._uses.get(touched.name, {}) if touched.name else self._everything()
        for subject, uses in known.items():
            if subject.meets(touched):
                yield from uses

    def _everything(self) -> dict[Touched, set[Touched]]:
        return {subject: uses for known in self._uses.values() for subject, uses in known.items()}

    def standing_on(self, changed: Iterable[Touched], *, as_rows: bool) -> frozenset[Touched]:
        """These objects and whatever stands on them; `as_rows`: the tables whose rows go with theirs."""
        found = set(changed)
        everything = self._everything()
        while True:
            more = {
                Touched(subject.name, None, subject.schema) if as_rows else subject
                for subject, uses in everything.items()
                if any(one.meets(use) for use in uses for one in found)
            }
            if more <= found:
                return frozenset(found)
            found |= more

    def behind(self, table: Touched) -> frozenset[Touched]:
        """The tables that a write into one goes to: others where it is a view."""
        found: set[Touched] = set()
        waiting = [table]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                if any(view.meets(one) for view in self._views):
                    waiting += [Touched(each.name, None, each.schema) for each in self._directly_used_by(one)]
        return frozenset(found)

    def fired_by(self, table: Touched) -> Iterator[str]:
        """The functions that may run when rows of a table are written."""
        for used in self._directly_used_by(table):
            if used.name in self._bodies:
                yield str(used.name)

    def started_by(self, trace: Trace) -> list[str]:
        """The functions that something calls, or sets off by what it writes."""
        tables = frozenset[Touched]().union(*map(self.behind, trace.writes))
        return [*trace.calls, *(function for table in tables for function in self.fired_by(table))]

    def run_by(self, functions: Iterable[str]) -> Iterator[Trace]:
        """What runs when these functions are called; unknown for one that nobody has told of."""
        called: set[str] = set()
        waiting = list(functions)
        while waiting:
            function = waiting.pop()
            if function in called:
                continue
            called.add(function)
            bodies = self._bodies.get(object_named(function).name)
            if bodies is None:
                if not (function in _HARMLESS or is_steady_builtin(function)):
                    yield Trace(unknown=f"what {function}() does isn't known")
                continue
            yield Trace(uses=frozenset([object_named(function)]))
            for trace in (trace for body in bodies for trace in body):
                yield trace
                waiting += self.started_by(trace)
