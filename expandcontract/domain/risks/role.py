"""Risks of what the role may do, and of who else may."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.risks.risk import Risk, fails, listed, risky
from expandcontract.domain.risks.seen import Login, Relation, Seen


def superuser(seen: Seen) -> Iterator[Risk]:
    """The role is a superuser: no right, no row policy and no reserved connection stops a mistake."""
    for login in seen.logins:
        if login.is_superuser:
            yield risky(
                f"role {login.role} ({login.way}) is a superuser: what a revision does by mistake, nothing stops",
                "use a role that owns the tables and nothing else: see the page Give the runner a role",
            )


def ledger_out_of_reach(seen: Seen) -> Iterator[Risk]:
    """The role can't make the ledger, or can't use the one there is."""
    for login in seen.logins:
        if login.lacks_in_ledger:
            yield fails(
                f"role {login.role} ({login.way}) lacks {listed(login.lacks_in_ledger)} in schema ec",
                f"as the owner of schema ec: GRANT what is missing TO {login.role}, or run as its owner",
            )
        elif not login.creates_schemas:
            yield fails(
                f"there is no ledger, and role {login.role} ({login.way}) may not make its schema",
                f"GRANT CREATE ON DATABASE {login.database} TO {login.role}, until ec init has run",
            )


def no_schema_to_create_in(seen: Seen) -> Iterator[Risk]:
    """New tables, and the functions of a Sync, have no place."""
    for login in seen.logins:
        if login.schema is None:
            yield fails(
                f"no schema of the search path of role {login.role} ({login.way}) exists, or none may be used",
                f"ALTER ROLE {login.role} SET search_path, or GRANT USAGE ON SCHEMA",
            )
        elif not login.creates_in_schema:
            yield fails(
                f"role {login.role} ({login.way}) may not create anything in schema {login.schema}:"
                " no table, and no function of a Sync",
                f"GRANT CREATE ON SCHEMA {login.schema} TO {login.role}",
            )


def not_owner(seen: Seen) -> Iterator[Risk]:
    """Tables belong to somebody else: only an owner may alter them. It fails where a waiting step touches one."""
    changed = {
        touched.name
        for step in seen.steps
        if not step.is_done
        for touched in step.change.footprint(step.step.phase).changes
    }
    for login in seen.logins:
        needed = [table for table in login.foreign if table.table in changed]
        others = [table for table in login.foreign if table.table not in changed]
        whose = f"role {login.role} ({login.way}) doesn't own"
        if needed:
            names = listed(table.name for table in needed)
            yield fails(f"{whose} {names}, which a waiting step changes", _membership(login, needed))
        if others:
            yield risky(f"{whose} {listed(table.name for table in others)}", _membership(login, others))


def _membership(login: Login, tables: list[Relation]) -> str:
    owners = listed(sorted({table.owner for table in tables}))
    return f"GRANT {owners} TO {login.role}, or ALTER TABLE … OWNER TO {login.role}"


def sees_too_little(seen: Seen) -> Iterator[Risk]:
    """The role can't see what other roles' sessions do."""
    for login in seen.logins[:1]:
        if not login.sees_others:
            yield risky(
                f"role {login.role} sees neither the queries nor the age of other roles' transactions, nor how late"
                " standbys are: blockers go unnamed, and health signals that can't be read stop a backfill",
                f"GRANT pg_monitor TO {login.role}",
            )


def cannot_cancel(seen: Seen) -> Iterator[Risk]:
    """Blockers are to be cancelled, and the role may not cancel those of other roles."""
    for login in seen.logins[:1]:
        if seen.limits.cancels_blockers and not (login.cancels_others or login.is_superuser):
            yield risky(
                f"cancel_blockers is set, and role {login.role} may cancel only sessions of its own role",
                f"GRANT pg_signal_backend TO {login.role}",
            )


def probe_role_unusable(seen: Seen) -> Iterator[Risk]:
    """The server can plan no statement for the configured probe role, so that no statement is proven."""
    if seen.probe_trouble:
        yield fails(
            seen.probe_trouble,
            "make it a role without login that has the application's rights, and GRANT it TO ec's role;"
            " or take probe_role out of the configuration",
        )


def ledger_open_to_others(seen: Seen) -> Iterator[Risk]:
    """Others may write the ledger, and so open a gate that is closed; steps and backfills are refused."""
    for writer in seen.content.ledger_writers if seen.content else ():
        yield fails(writer.because, writer.remedy)


def role_shared_with_the_application(seen: Seen) -> Iterator[Risk]:
    """Sessions of an application have ec's own role, so they may drop tables and write the ledger."""
    if seen.content and seen.content.same_role and seen.logins:
        yield risky(
            f"sessions called {listed(seen.content.same_role)} use role {seen.logins[0].role}, which ec runs as:"
            " they may alter tables and write the ledger",
            "give ec a role of its own: see the page Give the runner a role",
        )
