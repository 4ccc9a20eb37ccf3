"""Much of everything: an index of 2,000 projects, a project of 20,000 files, bases six levels deep.

Larder against itself: what is large is compared with the same thing small, since what must not happen
is that one grows with the other. The data goes through the front door, by uploads.
"""

import statistics
import threading
import time

import requests

from harness.dists import Dist, sdist, wheel
from servers import ACCEPT, PASSWORD

FILES, FILES_OF_A_RELEASE, PROJECTS, LEVELS = 20_000, 10, 2_000, 6
UPLOADERS = 4
ROUNDS = 7
AUTH = ("root", PASSWORD)


def builds(release):
    """The same wheel under ten build numbers."""
    name, version, rest = release.filename.split("-", 2)
    return [Dist(f"{name}-{version}-{build}-{rest}", release.content) for build in range(1, FILES_OF_A_RELEASE + 1)]


class Many:
    def __init__(self, larder):
        self.larder = larder

    def fill(self):
        """`root/many` with everything; `root/few` with one file; a tower of bases with diamonds on `root/few`."""
        self._put("root/many", {})
        self._put("root/few", {})
        below = ["root/few"]
        for level in range(LEVELS):
            pair = [f"root/left{level}", f"root/right{level}"]
            for name in pair:
                self._put(name, {"bases": below})
            below = pair
        self.top = below[0]
        self._upload_all([("root/few", sdist("huge", "1.0"))])
        releases = (wheel("huge", f"1.{number}") for number in range(FILES // FILES_OF_A_RELEASE))
        files = [("root/many", dist) for release in releases for dist in builds(release)]
        projects = [("root/many", sdist(f"p{number}", "1.0")) for number in range(PROJECTS)]
        self._upload_all(files + projects)

    def upload_ms(self, index, project):
        """The median of an upload into a project that is there."""
        session, times = self._session(), []
        for number in range(ROUNDS):
            dist = sdist(project, f"2.{number}.{time.time_ns()}")
            began = time.perf_counter()
            self._upload(session, index, dist)
            times.append((time.perf_counter() - began) * 1000)
        return statistics.median(times)

    def page_anew_ms(self, index, changed="root/few"):
        """The median of the first page after a change, which has to be made anew."""
        session, times = self._session(), []
        url = f"{self.larder.url}/{index}/+simple/huge/"
        for _ in range(ROUNDS):
            self._upload(session, changed, sdist("huge", f"3.{time.time_ns()}"))
            times.append(self._get_ms(session, url, ACCEPT))
        return statistics.median(times)

    def get_ms(self, path, accept="application/json"):
        session = self._session()
        return statistics.median(
            self._get_ms(session, self.larder.url + path, accept) for _ in range(ROUNDS)
        )

    def _get_ms(self, session, url, accept):
        began = time.perf_counter()
        reply = session.get(url, headers={"accept": accept}, timeout=120)
        took = (time.perf_counter() - began) * 1000
        reply.raise_for_status()
        return took

    def _put(self, index, config):
        reply = self._session().put(f"{self.larder.url}/{index}", json=config, timeout=60)
        reply.raise_for_status()

    def _upload_all(self, uploads):
        turn, failures = iter(uploads), []
        lock = threading.Lock()

        def run():
            session = self._session()
            try:
                while True:
                    with lock:
                        index, dist = next(turn)
                    self._upload(session, index, dist)
            except StopIteration:
                return
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(UPLOADERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _upload(self, session, index, dist):
        name, version = dist.filename.removesuffix(".tar.gz").split("-")[:2]
        form = {":action": "file_upload", "name": name, "version": version, "filetype": "sdist"}
        files = {"content": (dist.filename, dist.content, "application/octet-stream")}
        reply = session.post(f"{self.larder.url}/{index}/", data=form, files=files, timeout=120)
        assert reply.status_code == 200, f"{dist.filename}: {reply.status_code} {reply.reason}"

    def _session(self):
        session = requests.Session()
        session.trust_env, session.auth = False, AUTH
        return session
