from __future__ import annotations

import pytest

from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step


@pytest.mark.parametrize("code", Code)
def test_only_an_open_window_counts_as_an_open_window(code: Code) -> None:
    refusal = Refusal(Step("8c1f", Phase.CONTRACT), "rename", code, because="…", next="…")

    assert refusal.window_open == (code is Code.WINDOW_OPEN)
    assert refusal.until is None


def test_codes_are_words_for_scripts() -> None:
    assert all(code == code.lower() and code.replace("-", "").isalpha() for code in Code)
