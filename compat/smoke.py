"""The cache against real PyPI: pip and uv, cold, warm, and with the upstream out of reach.

    make smoke

Asks for a handful of small projects, by name, nothing else. Uses a fresh data folder each time.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness.clients import Client  # noqa: E402
from harness.places import Place  # noqa: E402
from harness.processes import Larder  # noqa: E402

PROJECTS = ["flask", "idna", "six", "attrs"]


def install(larder, folder, installer, phase):
    client = Client(folder / f"{installer}-{phase}")
    began = time.monotonic()
    outcome = getattr(client, f"{installer}_install")(f"{larder.url}/root/pypi/+simple/", *PROJECTS).ok()
    missing = [name for name in PROJECTS if name not in {found.lower() for found in outcome.versions}]
    assert not missing, f"{installer}, {phase}: {missing} not installed, only {outcome.versions}"
    print(f"{installer:4} {phase:8} {time.monotonic() - began:6.2f} s, {len(outcome.versions)} projects")


def main():
    with tempfile.TemporaryDirectory(prefix="larder-smoke-") as base:
        folder = Path(base)
        larder = Larder(Place(folder / "place", "sqlite-files"), "--request-timeout", "20")
        try:
            larder.start()
            for installer in ("pip", "uv"):
                install(larder, folder, installer, "cold" if installer == "pip" else "first")
                install(larder, folder, installer, "warm")
            larder.restart("--offline-mode")
            for installer in ("pip", "uv"):
                install(larder, folder, installer, "offline")
        finally:
            if larder.process is not None:
                larder.kill()
    print("smoke: everything installed")


if __name__ == "__main__":
    main()
