"""When a backfill may run."""

from __future__ import annotations

from expandcontract.domain.change import Change
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal, names, refuse


def expand_is_done_for_backfill(change: Change, facts: Facts) -> Refusal | None:
    """Rows are moved into a shape that exists."""
    if facts.is_done(change.revision, Phase.EXPAND):
        return None
    return refuse(
        change,
        Phase.BACKFILL,
        Code.NOT_EXPANDED,
        because=f"expand {change.revision} is {facts.state(change.revision, Phase.EXPAND)}",
        next="ec migrate expand",
    )


def new_rows_are_kept_right(change: Change, facts: Facts) -> Refusal | None:
    """A backfill ends only where new rows arrive right: by triggers, or because every live release writes them."""
    backfill = change.backfill
    if change.revision in facts.missing_triggers:
        return refuse(
            change,
            Phase.BACKFILL,
            Code.NO_WRITER,
            because="the triggers it counts on are missing or disabled, so rows go wrong faster than they are filled",
            next=f"enable them, or ec undo {change.revision} and ec migrate expand",
        )
    if backfill is None or change.installs_sync or backfill.triggers:
        return None
    if backfill.writers is None:
        return refuse(
            change,
            Phase.BACKFILL,
            Code.NO_WRITER,
            because="nothing keeps new rows right: the expand creates no Sync, and the Backfill names nothing else",
            next=f"give {change.revision} a Sync, or name the change whose code writes both shapes: "
            'Backfill(..., writers="<revision>")',
        )
    lacking = [release.tag for release in facts.router.live_releases if backfill.writers not in release.ships]
    if lacking or not facts.router.live:
        who = f"live release {names(lacking)} lacks it" if lacking else "no live colour is recorded"
        return refuse(
            change,
            Phase.BACKFILL,
            Code.NO_WRITER,
            because=f"new rows are kept right by the code of {backfill.writers}, and {who}",
            next="ec colour show",
        )
    return None
