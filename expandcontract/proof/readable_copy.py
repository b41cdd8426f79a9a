"""Server programs that another user can run, where those of this machine are closed to it."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from expandcontract.errors import ConfigurationError
from expandcontract.proof.account import Account, run, temporary_parents, usable_parent
from expandcontract.proof.installation import NAMED, Installation

_LARGEST_COPY = 500 * 1024 * 1024


def runnable_programs(installation: Installation, account: Account | None) -> Path:
    """
    Give the directory of programs that the server's user can run: the installation's own, or that of a readable copy.

    Raises:
        ConfigurationError: neither can be run.
    """
    if account is None or _can_run(installation.bin_dir, account):
        return installation.bin_dir
    copy = readable_copy(installation, private_cache(usable_parent(temporary_parents(), account)))
    if not _can_run(copy.bin_dir, account):
        raise ConfigurationError(
            f"the user {account.name} can't run {installation}",
            because=f"PostgreSQL refuses to run as root, and a copy in {copy.bin_dir} doesn't run either",
        )
    return copy.bin_dir


def _can_run(bin_dir: Path, account: Account) -> bool:
    """Whether the account can run the programs; tried rather than read off the modes, which don't tell everything."""
    for program in (str(bin_dir / "initdb"), str(bin_dir / "postgres")):
        try:
            run([program, "--version"], account, cwd=Path("/"))
        except subprocess.CalledProcessError:  # its libraries are out of reach
            return False
        except OSError as error:
            if error.filename == program:
                return False
            raise ConfigurationError(
                f"PostgreSQL refuses to run as root, and this root may not become the user {account.name}",
                because=error.strerror,
            ) from error
    return True


def private_cache(parent: Path) -> Path:
    """Our directory for copies. Under a name that others can foresee, so nothing in it is trusted before a look."""
    cache = parent / f"ec-postgresql-{os.geteuid()}"
    cache.mkdir(mode=0o755, exist_ok=True)
    status = cache.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise ConfigurationError(f"{cache} isn't ours alone to write", next_command=f"rm -r {shlex.quote(str(cache))}")
    cache.chmod(0o755)
    return cache


def readable_copy(installation: Installation, cache: Path) -> Installation:
    """
    Return a copy of the installation under ``cache`` that every user can read, made on first use.

    A copy rather than looser permissions or hard links: both would open the original's files to everybody. It appears
    by a rename, so of two processes that make it at once one wins and both find it whole.

    Raises:
        ConfigurationError: the installation's directory holds so much else that copying it would be a mistake.
    """
    bin_dir = (installation.bin_dir / "postgres").resolve().parent
    above = bin_dir.parents[min(2, len(bin_dir.parents) - 1)]
    files = _files_of(bin_dir, above)
    built = int((bin_dir / "postgres").stat().st_mtime)
    place = hashlib.sha256(bytes(bin_dir)).hexdigest()[:8]
    target = cache / f"{installation.version[0]}.{installation.version[1]}-{built}-{place}"
    if not _is_whole(target, files):
        _make_copy(above, files, target)
    return replace(installation, bin_dir=target / bin_dir.relative_to(above))


def _files_of(bin_dir: Path, above: Path) -> list[Path]:
    """What a server needs of an installation, relative to ``above``: PostgreSQL finds its share and lib from bin."""
    prefix = bin_dir.parent
    bundled = above / f"{prefix.parent.name}.libs"  # where a wheel's shared libraries are
    roots = (bin_dir, prefix / "lib", prefix / "lib64", prefix / "share", bundled)
    files: list[Path] = []
    size = 0
    for path in (path for root in roots for path in root.rglob("*")):
        if path.suffix == ".a" or not path.is_file():
            continue
        files.append(path.relative_to(above))
        size += path.stat().st_size
        if size > _LARGEST_COPY:
            raise ConfigurationError(
                f"the server's user can't reach {bin_dir}, and it shares its directory with too much else to be copied",
                because="PostgreSQL refuses to run as root",
                next_command=f"export {NAMED}=<the bin directory of a PostgreSQL that every user can read>",
            )
    return files


def _is_whole(target: Path, files: Sequence[Path]) -> bool:
    """Whether the copy is there, with all that a cleaner of temporary files may have taken."""
    return all((target / file).is_file() for file in files)


def _make_copy(above: Path, files: Sequence[Path], target: Path) -> None:
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        fresh = making / "fresh"
        for file in files:
            copied = fresh / file
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(above / file, copied)
            copied.chmod(0o755 if os.access(above / file, os.X_OK) else 0o644)
        for directory in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            directory.chmod(0o755)
        if target.exists() and not _is_whole(target, files):
            target.rename(making / "incomplete")
        fresh.rename(target)
    except OSError:
        if not _is_whole(target, files):  # else another process published the same copy first
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
