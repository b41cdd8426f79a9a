import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from expandcontract.errors import ConfigurationError
from expandcontract.proof.account import is_passable_for_all
from expandcontract.proof.installation import Installation, choose_installation, find_installations, parse_version
from expandcontract.proof.readable_copy import private_cache, readable_copy
from expandcontract.proof.server_directory import render_settings


def an_installation(prefix: Path, printed: str = "postgres (PostgreSQL) 17.2") -> Path:
    """A directory laid out like PostgreSQL's, with programs that only tell their version."""
    bin_dir = prefix / "bin"
    for directory in (bin_dir, prefix / "lib", prefix / "share" / "timezone"):
        directory.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (bin_dir / program).write_text(f"#!/bin/sh\necho '{printed}'\n")
        (bin_dir / program).chmod(0o700)
    (prefix / "lib" / "plpgsql.so").write_text("a library")
    (prefix / "lib" / "libpq.a").write_text("only for linking")
    (prefix / "share" / "timezone" / "UTC").write_text("a zone")
    return bin_dir


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("postgres (PostgreSQL) 18.4\n", (18, 4)),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", (15, 18)),
        ("postgres (PostgreSQL) 19beta1\n", (19, 0)),
        ("postgres (PostgreSQL) 20devel\n", (20, 0)),
        ("psql: not found", None),
        ("", None),
    ],
)
def test_a_version_is_read_from_what_the_server_prints(printed, version):
    assert parse_version(printed) == version


def test_a_setting_is_quoted_as_postgresql_reads_it():
    lines = render_settings({"port": 5432, "search_path": "'a', \"b\"", "archive_command": r"copy C:\x"})

    assert lines == ("port = '5432'\nsearch_path = '''a'', \"b\"'\narchive_command = 'copy C:\\\\x'\n")


def test_what_the_variable_lists_comes_first_and_newest_first(tmp_path, monkeypatch):
    old = an_installation(tmp_path / "old", "postgres (PostgreSQL) 9.6")
    new = an_installation(tmp_path / "new", "postgres (PostgreSQL) 10.1")
    monkeypatch.setenv("EC_TEST_PG_BIN", f"{old}:{new}")

    found = find_installations()

    assert found[:2] == [
        Installation(new, (10, 1), "EC_TEST_PG_BIN"),
        Installation(old, (9, 6), "EC_TEST_PG_BIN"),
    ]
    others = [installation.version for installation in found[2:]]
    assert others == sorted(others, reverse=True)


def test_an_installation_is_found_once_under_all_its_names(tmp_path, monkeypatch):
    bin_dir = an_installation(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("EC_TEST_PG_BIN", f"{tmp_path}/link/bin:{bin_dir}")

    named = [installation.bin_dir for installation in find_installations() if installation.origin == "EC_TEST_PG_BIN"]

    assert named == [bin_dir]


def test_a_listed_directory_without_a_server_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("EC_TEST_PG_BIN", str(tmp_path))

    with pytest.raises(ConfigurationError, match=str(tmp_path)):
        find_installations()


def test_without_an_installation_the_error_says_where_it_looked_and_what_to_install():
    with pytest.raises(ConfigurationError, match="no PostgreSQL server programs on this machine") as caught:
        choose_installation(among=[])

    assert "EC_TEST_PG_BIN (not set), /usr/lib/postgresql/*/bin, `pg_config --bindir`" in caught.value.because
    assert caught.value.next_command == "pip install 'expandcontract[embedded]'"


def test_a_missing_major_version_is_named_with_those_that_are_there():
    here = Installation(Path("/opt/pg/bin"), (16, 2), "pg_config")

    with pytest.raises(ConfigurationError, match="PostgreSQL 14") as caught:
        choose_installation(14, among=[here])

    assert caught.value.because.endswith("found only PostgreSQL 16.2 (pg_config, /opt/pg/bin)")


def test_the_first_installation_of_the_major_version_is_chosen():
    both = [Installation(Path("/a"), (18, 1), "pg_config"), Installation(Path("/b"), (16, 2), "pg_config")]

    assert choose_installation(among=both) is both[0]
    assert choose_installation(16, among=both) is both[1]


def test_a_directory_under_a_closed_one_is_not_passable(tmp_path):
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)

    assert not is_passable_for_all(inner)
    assert is_passable_for_all(Path("/tmp"))


def a_copy(tmp_path: Path) -> tuple[Installation, Installation, Path]:
    bin_dir = an_installation(tmp_path / "home" / "package" / "pginstall")
    (tmp_path / "home" / "package.libs").mkdir()
    (tmp_path / "home" / "package.libs" / "libpq-1a.so").write_text("bundled")
    cache = tmp_path / "cache"
    cache.mkdir()
    original = Installation(bin_dir, (17, 2), "EC_TEST_PG_BIN")
    return original, readable_copy(original, cache), cache


def test_a_copy_holds_what_a_server_needs_where_it_looks_for_it(tmp_path):
    original, copy, _ = a_copy(tmp_path)

    prefix = copy.bin_dir.parent
    assert copy.version == original.version
    assert (prefix / "share" / "timezone" / "UTC").read_text() == "a zone"
    assert (prefix / "lib" / "plpgsql.so").read_text() == "a library"
    assert (prefix.parent.parent / "package.libs" / "libpq-1a.so").read_text() == "bundled"
    assert not (prefix / "lib" / "libpq.a").exists()


def test_a_copy_can_be_read_by_everybody_and_the_original_stays_closed(tmp_path):
    before = os.umask(0o077)
    try:
        original, copy, cache = a_copy(tmp_path)
    finally:
        os.umask(before)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(original.bin_dir / "postgres") == 0o700
    assert mode(copy.bin_dir / "postgres") == 0o755
    copied = [path for path in cache.rglob("*") if path.name != "cache"]
    assert {mode(path) for path in copied if path.is_dir()} == {0o755}
    assert {mode(path) for path in copied if path.is_file()} == {0o755, 0o644}


def test_a_copy_is_made_once(tmp_path):
    original, copy, cache = a_copy(tmp_path)
    made = (copy.bin_dir / "postgres").stat().st_ino

    assert readable_copy(original, cache) == copy
    assert (copy.bin_dir / "postgres").stat().st_ino == made


def test_a_copy_of_which_a_cleaner_took_a_part_is_made_anew(tmp_path):
    original, copy, cache = a_copy(tmp_path)
    zone = copy.bin_dir.parent / "share" / "timezone" / "UTC"
    zone.unlink()

    assert readable_copy(original, cache) == copy
    assert zone.exists()
    assert len(list(cache.iterdir())) == 1


def test_another_build_gets_a_copy_of_its_own(tmp_path):
    original, copy, cache = a_copy(tmp_path)
    os.utime(original.bin_dir / "postgres", (1_000_000_000, 1_000_000_000))

    assert readable_copy(original, cache).bin_dir != copy.bin_dir


def test_many_who_make_the_copy_at_once_find_it_whole(tmp_path):
    bin_dir = an_installation(tmp_path / "package" / "pginstall")
    cache = tmp_path / "cache"
    cache.mkdir()
    barrier = Barrier(8)

    def copy() -> bool:
        barrier.wait()
        copied = readable_copy(Installation(bin_dir, (17, 2), "pg_config"), cache).bin_dir.parent
        return all((copied / part).is_file() for part in ("bin/postgres", "lib/plpgsql.so", "share/timezone/UTC"))

    with ThreadPoolExecutor(8) as threads:
        whole = [future.result() for future in [threads.submit(copy) for _ in range(8)]]

    assert all(whole)
    assert len(list(cache.iterdir())) == 1


def test_a_directory_shared_with_much_else_is_not_copied(tmp_path):
    bin_dir = an_installation(tmp_path / "env")
    with (tmp_path / "env" / "lib" / "everything").open("wb") as large:
        large.truncate(600 * 1024 * 1024)  # sparse: takes no room
    (tmp_path / "cache").mkdir()

    with pytest.raises(ConfigurationError, match="too much else"):
        readable_copy(Installation(bin_dir, (17, 2), "pg_config"), tmp_path / "cache")


def test_a_cache_that_others_could_have_laid_out_is_not_trusted(tmp_path):
    cache = private_cache(tmp_path)
    cache.chmod(0o777)
    with pytest.raises(ConfigurationError, match="isn't ours alone"):
        private_cache(tmp_path)

    cache.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").chmod(0o755)
    cache.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="isn't ours alone"):
        private_cache(tmp_path)
