"""The process: ``ec``, and ``python -m expandcontract``."""

from __future__ import annotations

import gc


def main() -> None:
    """Load the command line and run it."""
    gc.disable()  # loading makes thousands of objects and no garbage; looking for some takes a tenth of a short run
    from expandcontract.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
