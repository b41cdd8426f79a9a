"""
The shop's data access in release 2: the same shop, and a user has a ``display_name``. Compare it with release_1.py.

A stored name ends with the version of its row, as in ``Ada v3``: so whoever reads a row, in whichever release, can tell
whether the name is the one that belongs to the version.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Row, Text, cast, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(server_default=text("1"))


next_version = User.version + 1


def next_name(name: str) -> ColumnElement[str]:
    return literal(name, Text) + " v" + cast(next_version, Text)


def read(session: Session, ids: Iterable[int]) -> Sequence[Row[tuple[int, int, str]]]:
    """The id, version and name of each of these users that there is."""
    return session.execute(select(User.id, User.version, User.display_name).where(User.id.in_(ids))).all()


def register(session: Session, names: Iterable[str]) -> Sequence[Row[tuple[int, int]]]:
    """New users, in one statement; their ids and versions, in the order of the names."""
    statement = insert(User).returning(User.id, User.version, sort_by_parameter_order=True)
    return session.execute(statement, [{"display_name": f"{name} v1"} for name in names]).all()


def rename(session: Session, ids: Iterable[int], name: str) -> Sequence[Row[tuple[int, int]]]:
    """One name for all these users; their ids and new versions."""
    wanted = User.id.in_(ids)
    # Rows are locked in the order of their keys, so that two requests can't wait for each other in a circle.
    session.execute(select(User.id).where(wanted).order_by(User.id).with_for_update())
    statement = update(User).where(wanted).values(display_name=next_name(name), version=next_version)
    as_is = {"synchronize_session": False}  # no object of this session holds such a row
    return session.execute(statement.returning(User.id, User.version), execution_options=as_is).all()


def register_or_rename(session: Session, ids: Iterable[int], name: str) -> Sequence[Row[tuple[int, int]]]:
    """Users under ids from elsewhere: new here, or renamed; their ids and versions."""
    new = {"display_name": next_name(name), "version": next_version}
    statement = (
        upsert(User)
        .values([{"id": id_, "display_name": f"{name} v1"} for id_ in sorted(ids)])
        .on_conflict_do_update(index_elements=[User.id], set_=new)
        .returning(User.id, User.version)
    )
    return session.execute(statement).all()
