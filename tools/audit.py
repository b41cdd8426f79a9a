"""Ask PyPI about known vulnerabilities of everything that is installed here, and fail where it couldn't be asked."""

from __future__ import annotations

import json
import subprocess
import sys

OURS = "expandcontract"
ASK = (sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json")


def main() -> None:
    """Exit with 1 where a vulnerability is known or something wasn't looked up, which `pip-audit` takes for good."""
    ran = subprocess.run([*ASK, *sys.argv[1:]], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    found = json.loads(ran.stdout or "{}").get("dependencies", [])
    known = [f"{one['name']} {one['version']}: {each['id']}" for one in found for each in one.get("vulns", ())]
    unasked = [one["name"] for one in found if "skip_reason" in one and one["name"] != OURS]
    if unasked or not found:
        known.append(f"not looked up: {', '.join(unasked) or 'anything'}")
    if known:
        sys.exit("\n".join(known))
    sys.stdout.write(f"no known vulnerability in {len(found)} packages\n")


if __name__ == "__main__":
    main()
