"""``python -m expandcontract`` is ``ec``."""

from expandcontract.cli.main import main

if __name__ == "__main__":
    main()
