from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.config import Settings, load_settings
from expandcontract.domain.proof import Means
from expandcontract.errors import ConfigurationError

PROOF = """
[tool.expandcontract]
evidence = ["statements", "catalog"]
tombstone_soak = "1d"
maintenance_roles = ["postgres", "backup"]

[tool.expandcontract.roles]
app_blue = "blue"

[tool.expandcontract.replicas.reports]
address_env = "EC_REPLICA"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, without a variable of ours."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "CONTRACT_AFTER",
        "LOCK_TIMEOUT",
        "LOCK_BUDGET",
        "RATE",
        "DATABASE_URL",
        "EVIDENCE",
        "MAINTENANCE_ROLES",
    ):
        monkeypatch.delenv(f"EC_{name}", raising=False)
    return tmp_path


def settings(**given: object) -> Settings:
    return load_settings(ProjectOptions(), given)


def test_without_any_configuration_the_defaults_hold(folder: Path) -> None:
    found = settings()

    assert found.contract_after == timedelta(days=14)
    assert found.lock_timeout > timedelta(seconds=1), "autovacuum gives way after deadlock_timeout, which is 1 s"
    assert found.rate == 10_000
    assert found.database_url is None


def test_a_flag_goes_over_a_variable_over_pyproject_over_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text('[tool.expandcontract]\nlock_timeout = "1s"\nrate = 1\n')
    assert (settings().lock_timeout, settings().rate) == (timedelta(seconds=1), 1)

    monkeypatch.setenv("EC_LOCK_TIMEOUT", "2s")
    assert (settings().lock_timeout, settings().rate) == (timedelta(seconds=2), 1)

    assert settings(lock_timeout="3s", rate=None).lock_timeout == timedelta(seconds=3)


def test_the_rate_max_means_flat_out(folder: Path) -> None:
    assert settings(rate="max").rate is None


@pytest.mark.parametrize("rate", ["0", "-5", "1e4", "fast", "", "٣", True])
def test_what_is_no_rate_is_refused_by_name(folder: Path, rate: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings(rate=rate)

    assert "--rate" in str(refused.value.because)


def test_all_mistakes_come_in_one_message_each_with_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "pyproject.toml").write_text('[tool.expandcontract]\ncontract_after = "soon"\ncolor = "red"\n')
    monkeypatch.setenv("EC_LOCK_BUDGET", "7")

    with pytest.raises(ConfigurationError) as refused:
        settings(lock_timeout="-1d")

    because = str(refused.value.because)
    assert "pyproject.toml: contract_after: 'soon' is not a duration" in because
    assert "pyproject.toml: color is unknown" in because
    assert "EC_LOCK_BUDGET: '7' is not a duration" in because
    assert "--lock-timeout: '-1d' is not a duration" in because


@pytest.mark.parametrize("text", ["[tool.expandcontract\n", "[tool]\nexpandcontract = 3\n", "\xff\xfe"])
def test_a_pyproject_that_cannot_be_used_is_named(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigurationError, match=r"pyproject\.toml"):
        settings()


def test_no_lock_timeout_at_all_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="more than 0"):
        settings(lock_timeout="0s")


def test_the_password_in_the_database_url_is_not_in_the_repr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EC_DATABASE_URL", "postgresql://me:hunter2@db/app")

    found = settings()

    assert found.database_url == "postgresql://me:hunter2@db/app"
    assert "hunter2" not in repr(found)


def test_pyproject_is_looked_for_beside_the_ini_file(folder: Path) -> None:
    (folder / "backend").mkdir()
    (folder / "backend" / "pyproject.toml").write_text("[tool.expandcontract]\nrate = 7\n")

    assert load_settings(ProjectOptions(config=("backend/alembic.ini",)), {}).rate == 7


def test_what_a_contract_asks_for_is_read_from_the_file_and_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text(PROOF)
    found = settings()

    assert found.evidence == (Means.CATALOG, Means.STATEMENTS)
    assert found.tombstone_soak == timedelta(days=1)
    assert found.maintenance_roles == ("postgres", "backup")
    assert found.roles == {"app_blue": "blue"}
    assert [(one.name, one.options.address_env) for one in found.replicas] == [("reports", "EC_REPLICA")]
    monkeypatch.setenv("EC_EVIDENCE", "catalog")
    monkeypatch.setenv("EC_MAINTENANCE_ROLES", "postgres, dba")
    assert (settings().evidence, settings().maintenance_roles) == ((Means.CATALOG,), ("postgres", "dba"))
    monkeypatch.setenv("EC_EVIDENCE", "")
    assert settings().evidence == ()


def test_without_any_a_contract_asks_for_no_proof(folder: Path) -> None:
    assert (settings().evidence, settings().tombstone_soak, settings().replicas) == ((), None, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('evidence = ["rumours"]', "'rumours' is no evidence; there are catalog, models, statements"),
        ("evidence = 3", "3 is not a list of names"),
        ("[tool.expandcontract.roles]\napp = 1", "must be a table of roles and their colours"),
        ("[tool.expandcontract.replicas.primary]\naddress = 'host=x'", "replicas.primary must be a table"),
        ("[tool.expandcontract.replicas.a]", "replicas.a: needs address or address_env, and not both"),
    ],
)
def test_a_mistake_in_it_is_named(folder: Path, text: str, words: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.expandcontract]\n{text}\n")

    with pytest.raises(ConfigurationError) as refused:
        settings()

    assert words in str(refused.value.because)
