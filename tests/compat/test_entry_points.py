from importlib.metadata import distribution


def test_no_alembic_plugin_is_registered() -> None:
    """One would break ``import alembic`` for the whole program on Alembic 1.18.0 to 1.20.0."""
    groups = {point.group for point in distribution("expandcontract").entry_points}

    assert "alembic.plugins" not in groups
