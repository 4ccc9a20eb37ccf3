"""Larder beside real devpi-server and nginx, in one run on one machine: ratios, not promises.

    make bench                       prints a table, exits 1 when a floor is missed
    make bench ARGS='--rounds 5'     more rounds; --seconds N, --json FILE

The servers stand side by side on the same upstream and the same bytes. A load is given to one after
the other, several rounds, and the medians are compared. Numbers of one machine say little elsewhere.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from corpus import Corpus, project_of
from harness.processes import FakeIndex
from load import CONNECTIONS, download, herd, wrk
from many import FILES, LEVELS, PROJECTS, Many
from servers import ACCEPT, Devpi, Larder, Nginx, release_binary

HERD_CLIENTS = 24
START_ROUNDS = 5

PAGES_FLOOR = 50  # times devpi's rate
IDLE_FLOOR_MB = 50
START_FLOOR_SECS = 0.3
GROWTH_FLOOR = 2  # times what the small thing costs
UPLOAD_GROWTH_FLOOR = 6  # an upload compares its version with those that are there
MANY_PAGE_FLOOR_MS = 1500


class Bench:
    def __init__(self, folder, options):
        self.folder, self.options = Path(folder), options
        self.corpus = Corpus(self.folder / "corpus")
        self.upstream = FakeIndex(self.corpus.folder)
        self.larder = Larder(folder, self.upstream.url, release_binary())
        self.devpi = Devpi(folder, self.upstream.url)
        self.nginx = Nginx(folder, self.corpus.folder)
        self.rows, self.missed = [], []

    def close(self):
        for server in (self.larder, self.devpi, self.nginx):
            server.stop()
        self.upstream.stop()

    # one row: what, unit, the three numbers, larder against devpi, larder against nginx

    def row(self, what, unit, larder, devpi=None, nginx=None, higher_is_better=True):
        def ratio(other):
            if not other or not larder:
                return None
            return larder / other if higher_is_better else other / larder

        self.rows.append((what, unit, larder, devpi, nginx, ratio(devpi), ratio(nginx)))
        return ratio(devpi)

    def floor(self, holds, words):
        if not holds:
            self.missed.append(words)

    def run(self):
        self.measure_start()
        self.prepare()
        self.measure_idle()
        self.measure_cold()
        self.measure_herd()
        self.measure_pages()
        self.measure_files()
        self.measure_memory_after_load()
        self.measure_many()

    def measure_start(self):
        """Larder's first start makes its database; devpi-init has already made devpi's."""
        firsts = []
        for number in range(START_ROUNDS):
            fresh = Larder(self.folder / f"start-{number}", self.upstream.url, self.larder.binary)
            firsts.append(fresh.start())
            fresh.stop()
        repeats, others = [self.larder.start()], [self.devpi.start()]
        for _ in range(2):
            for server, times in ((self.larder, repeats), (self.devpi, others)):
                server.stop()
                times.append(server.start())
        self.row("first start, empty folder", "s", statistics.median(firsts))
        self.row("start again", "s", statistics.median(repeats[1:]), statistics.median(others[1:]),
                 higher_is_better=False)
        self.floor(statistics.median(firsts) < START_FLOOR_SECS, "a first start takes 300 ms or more")

    def prepare(self):
        self.devpi.make_mirror()
        page = self.larder.session.get(
            self.larder.page_url("manyfiles"), headers={"accept": ACCEPT}, timeout=60
        )
        page.raise_for_status()
        assert len(page.json()["files"]) == 200, "the page is not the one to measure"
        self.nginx.put_page("manyfiles", page.content)
        self.nginx.start()

    def measure_idle(self):
        larder, devpi = self.larder.resident_mb(), self.devpi.resident_mb()
        self.row("memory, idle", "MB", larder[0], devpi[0], higher_is_better=False)
        self.floor(larder[0] < IDLE_FLOOR_MB, f"idle memory is {larder[0]:.0f} MB")

    def measure_cold(self):
        """A project nobody asked for before: its page, then its file."""
        times = {"larder": [], "devpi": []}
        for dist in self.corpus.cold:
            for server in (self.larder, self.devpi):
                began = time.perf_counter()
                status, found, _ = download(server.file_url(dist))
                times[server.name].append((time.perf_counter() - began) * 1000)
                assert (status, found) == (200, dist.sha256), f"{server.name}: wrong body"
        self.row("cold page and 50 KB file", "ms", statistics.median(times["larder"]),
                 statistics.median(times["devpi"]), higher_is_better=False)

    def measure_herd(self):
        dist = self.corpus.herd
        seconds, hits, good = {}, {}, {}
        for server in (self.larder, self.devpi):
            url, before = server.file_url(dist), self.upstream.file_hits(dist)
            outcomes, seconds[server.name] = herd(url, HERD_CLIENTS)
            hits[server.name] = self.upstream.file_hits(dist) - before
            good[server.name] = sum(outcome[:2] == (200, dist.sha256) for outcome in outcomes)
        self.row(f"{HERD_CLIENTS} clients, one cold 50 MB file", "s", seconds["larder"], seconds["devpi"],
                 higher_is_better=False)
        self.row("  complete answers", "", good["larder"], good["devpi"])
        self.row("  upstream downloads", "", hits["larder"], hits["devpi"], higher_is_better=False)
        self.floor(hits["larder"] == 1, f"the herd cost {hits['larder']} upstream downloads")
        self.floor(good["larder"] == HERD_CLIENTS, f"only {good['larder']} of the herd got the file")

    def measure_pages(self):
        accept = f"Accept: {ACCEPT}"
        for what, coding in (("page, 200 files, JSON", "identity"), ("page, 200 files, JSON, gzip", "gzip")):
            header = f"Accept-Encoding: {coding}"
            rates = self.rates(
                {server.name: (server.page_url("manyfiles"), accept, header) for server in self.all()}
            )
            against = self.row(what, "req/s", rates["larder"], rates["devpi"], rates["nginx"])
            self.floor(against >= PAGES_FLOOR, f"{what}: {against:.0f} times devpi's rate")
        inherited = f"{self.larder.url}/app/dev/+simple/manyfiles/"
        rates = self.rates({"larder": (inherited, accept, "Accept-Encoding: identity")})
        self.row("  the same through two bases", "req/s", rates["larder"])

    def measure_files(self):
        for what, dist in (("file, 50 KB, warm", self.corpus.small), ("file, 20 MB, warm", self.corpus.big)):
            loads = {}
            for server in self.all():
                url = server.file_url(dist)
                assert download(url)[:2] == (200, dist.sha256), f"{server.name}: wrong body"
                loads[server.name] = (url, "Accept-Encoding: identity")
            rates = self.rates(loads)
            self.row(what, "req/s", rates["larder"], rates["devpi"], rates["nginx"])

    def measure_memory_after_load(self):
        larder, devpi = self.larder.resident_mb(), self.devpi.resident_mb()
        self.row("memory after load", "MB", larder[0], devpi[0], higher_is_better=False)
        self.row("  without mapped files", "MB", larder[1], devpi[1], higher_is_better=False)

    def measure_many(self):
        """A Larder of its own, in memory if there is room, so that filling it takes a minute."""
        with tempfile.TemporaryDirectory(prefix="larder-many-", dir=memory_folder()) as folder:
            larder = Larder(folder, self.upstream.url, self.larder.binary)
            larder.start()
            try:
                self.compare_many(Many(larder))
            finally:
                larder.stop()

    def compare_many(self, many):
        many.fill()
        small, large = many.upload_ms("root/few", "huge"), many.upload_ms("root/many", "huge")
        self.row("upload into a small project", "ms", small)
        self.row(f"upload into one of {FILES:,} files", "ms", large)
        self.floor(large < UPLOAD_GROWTH_FLOOR * small, f"an upload takes {large / small:.1f} times as long in a large project")
        flat, deep = many.page_anew_ms("root/few"), many.page_anew_ms(many.top)
        self.row("page made anew, no bases", "ms", flat)
        self.row(f"  through {LEVELS} levels of diamonds", "ms", deep)
        self.floor(deep < 3 * GROWTH_FLOOR * flat, f"a page takes {deep / flat:.1f} times as long through bases")
        page = many.page_anew_ms("root/many", changed="root/many")
        self.row(f"page of {FILES:,} files made anew", "ms", page)
        self.floor(page < MANY_PAGE_FLOOR_MS, f"a page of {FILES} files takes {page:.0f} ms")
        self.row("  from memory", "ms", many.get_ms("/root/many/+simple/huge/", ACCEPT))
        self.row("  one release of it, JSON", "ms", many.get_ms("/root/many/huge/1.7"))
        self.row(f"list of {PROJECTS:,} projects, simple", "ms", many.get_ms("/root/many/+simple/", ACCEPT))
        self.row("  the index, JSON", "ms", many.get_ms("/root/many"))

    def all(self):
        return (self.larder, self.devpi, self.nginx)

    def rates(self, loads):
        """Medians of the rates, the servers taking turns."""
        found = {name: [] for name in loads}
        for _ in range(self.options.rounds):
            for name, load in loads.items():
                # devpi fails now and then under load: its good answers count
                rate = wrk(load[0], self.options.seconds, *load[1:], may_fail=name == "devpi")
                found[name].append(rate)
        return {name: statistics.median(rates) for name, rates in found.items()}

    def report(self):
        print(f"\nmedian of {self.options.rounds} rounds of {self.options.seconds} s, "
              f"{CONNECTIONS} connections; ratios above 1 are in Larder's favour\n")
        print(f"{'':34} {'':6} {'larder':>10} {'devpi':>10} {'nginx':>10} {'/ devpi':>9} {'/ nginx':>9}")
        for what, unit, *numbers in self.rows:
            cells = [f"{shown(n):>10}" for n in numbers[:3]] + [f"{shown(n):>9}" for n in numbers[3:]]
            print(f"{what:34} {unit:6} {' '.join(cells)}")
        print()
        for words in self.missed:
            print(f"FLOOR MISSED: {words}")
        if not self.missed:
            print("every floor is met")


def memory_folder():
    """A folder in memory, where there is one."""
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and os.access(shm, os.W_OK) else None


def shown(number):
    if number is None:
        return "-"
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if number < 10 else f"{number:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="larder-bench-") as folder:
        Path(folder).chmod(0o755)
        bench = Bench(folder, options)
        try:
            bench.run()
        finally:
            bench.close()
    bench.report()
    if options.json:
        keys = ("what", "unit", "larder", "devpi", "nginx", "against_devpi", "against_nginx")
        options.json.write_text(json.dumps([dict(zip(keys, row)) for row in bench.rows], indent=1) + "\n")
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
