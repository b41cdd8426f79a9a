"""The tables that models declare, and where they are found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from expandcontract.alembic_bridge.models import declared_by, metadata_named
from expandcontract.domain.models import Declared
from expandcontract.errors import ConfigurationError


def test_a_table_is_declared_with_the_names_that_the_database_has() -> None:
    one, other = sa.MetaData(), sa.MetaData(schema="shop")
    sa.Table("users", one, sa.Column("name", sa.Text, key="label"), sa.Column("id", sa.Integer))
    sa.Table("users", other, sa.Column("id", sa.Integer))

    assert declared_by([one, other, one]) == (Declared("users", ("name", "id")), Declared("users", ("id",), "shop"))


@pytest.mark.parametrize(
    ("place", "because"),
    [
        ("nowhere_at_all:metadata", "No module"),
        ("shop_models:gone", "no attribute"),
        ("shop_models:sa", "it is no MetaData"),
        ("shop_models", "no attribute"),
        ("broken_models:metadata", "ZeroDivisionError"),
    ],
)
def test_models_are_found_where_they_are_named(
    place: str, because: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shop_models", raising=False)
    (tmp_path / "broken_models.py").write_text("1 / 0\n")
    (tmp_path / "shop_models.py").write_text(
        "import sqlalchemy as sa\nfrom sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): pass\n"
    )

    (by_class,), (by_itself,) = metadata_named("shop_models:Base"), metadata_named("shop_models:Base.metadata")
    assert by_class is by_itself
    with pytest.raises(ConfigurationError, match=f"there are no models at {place}") as error:
        metadata_named(place)
    assert because in (error.value.because or "")
