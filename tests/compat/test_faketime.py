"""A client whose clock is a month off, by libfaketime: only the database's clock counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.project import AlembicProject

[LIBRARY] = [str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")][:1]


@pytest.mark.parametrize("offset", ["-30d", "+30d"])
def test_a_client_whose_clock_is_a_month_off_decides_alike(renaming: AlembicProject, offset: str) -> None:
    second = renaming.versions / "0002.py"
    text = second.read_text()
    second.unlink()
    wrong = {"LD_PRELOAD": LIBRARY, "FAKETIME": offset}

    def ec(*arguments: str):
        ran = renaming.start(*arguments, "--json", variables=wrong).end()
        return ran.code, ran.json

    for words in ("migrate expand", "colour deploy blue 1", "colour traffic blue=100"):
        assert ec(*words.split())[0] == 0
    second.write_text(text)
    for words in ("migrate expand", "colour deploy green 2", "backfill", "colour traffic green=100"):
        assert ec(*words.split())[0] == 0

    code, document = ec("migrate", "contract")

    assert (code, [refusal["code"] for refusal in document["refusals"]]) == (4, ["window-open"])
    assert renaming.value("SELECT max(abs(extract(epoch FROM now() - at))) < 600 FROM ec.event")
    (until,) = [refusal["until"] for refusal in document["refusals"]]
    assert renaming.value(f"SELECT '{until}'::timestamptz BETWEEN now() + '13 days' AND now() + '15 days'")
    assert ec("window", "0002", "--close", "--reason", "nobody goes back")[0] == 0
    assert ec("migrate", "contract")[0] == 0
