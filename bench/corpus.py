"""The distributions that every server in the benchmark serves, the same bytes for all."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "compat"))

from harness.dists import noise, wheel  # noqa: E402

PAGE_FILES = 200
COLD_PROJECTS = 30
SMALL_BYTES, BIG_BYTES, HERD_BYTES = 50 << 10, 20 << 20, 50 << 20


class Corpus:
    """Writes everything into a folder and remembers names and digests."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for i in range(PAGE_FILES):
            self._write(wheel("manyfiles", f"1.{i}"))
        self.small = self._write(wheel("small", "1.0", payload=noise(SMALL_BYTES, "small")))
        self.big = self._write(wheel("big", "1.0", payload=noise(BIG_BYTES, "big")))
        self.herd = self._write(wheel("herd", "1.0", payload=noise(HERD_BYTES, "herd")))
        self.cold = [
            self._write(wheel(f"cold{i}", "1.0", payload=noise(SMALL_BYTES, i)))
            for i in range(COLD_PROJECTS)
        ]

    def _write(self, dist):
        dist.write(self.folder)
        return dist


def project_of(dist):
    return dist.filename.split("-")[0]

