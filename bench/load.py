"""Load: wrk for rates, threads for a herd on one cold file."""

import hashlib
import http.client
import re
import subprocess
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 8


def wrk(url, seconds, *headers, may_fail=False):
    """Good answers a second. Any other answer is an error, unless it `may_fail`."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s"]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    done, took = re.search(r"(\d+) requests in ([\d.]+)s", out).groups()
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    bad = int(bad.group(1)) if bad else 0
    good = int(done) - bad
    if not good or (not may_fail and (bad or re.search(r"Socket errors: .*[1-9]", out))):
        raise RuntimeError(f"{url}: not every answer was good\n{out}")
    return good / float(took)


def download(url):
    """Status, digest and length of a body, read in pieces; a cut body is status 0."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=180)
    digest, length = hashlib.sha256(), 0
    try:
        connection.request("GET", parts.path, headers={"Accept-Encoding": "identity"})
        reply = connection.getresponse()
        while piece := reply.read(1 << 20):
            digest.update(piece)
            length += len(piece)
        return reply.status, digest.hexdigest(), length
    except (OSError, http.client.HTTPException):
        return 0, "", length
    finally:
        connection.close()


def herd(url, size):
    """`size` clients at the same moment. Gives their outcomes and the seconds until the last had all."""
    gate = threading.Barrier(size + 1)
    outcomes = [None] * size

    def run(number):
        gate.wait()
        outcomes[number] = download(url)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return outcomes, time.perf_counter() - began
