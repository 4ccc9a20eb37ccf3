"""Killed at any step, Larder has what it acknowledged, serves nothing half-written, leaves no litter.

The steps are the failpoints in the source: with `FAILPOINTS=NAME=return(abort)` the process ends there
and then, as by `kill -9`. Further tests kill it while a body is on its way in, and at random instants.
"""

import random
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.dists import noise, sdist, wheel
from harness.processes import ROOT

ANSWER_LIMIT_SECS = 20
# an upstream that stalls on purpose must not be given up while a busy machine gets round to the test
PATIENT = ("--request-timeout", "60")
LOSSES = (requests.RequestException, requests.packages.urllib3.exceptions.HTTPError)


def failpoints():
    """The names of the steps, read from the source so that a new one is tested by being there."""
    pattern = re.compile(r"""\b(?:failpoint|reach)\(\s*"([a-z0-9_]+\.[a-z0-9_.]+)\"""")
    sources = sorted((ROOT / "crates").rglob("src/**/*.rs"))
    names = {name for path in sources for name in pattern.findall(path.read_text())}
    assert names, "no failpoint in the source: has the macro another name?"
    return sorted(names)


def until(holds, what, limit_secs=15):
    limit = time.monotonic() + limit_secs
    while not holds():
        assert time.monotonic() < limit, f"not within {limit_secs} s: {what}"
        time.sleep(0.01)


def fetch(url):
    """The whole body, or None when the answer was refused, cut or late."""
    try:
        reply = requests.get(url, timeout=ANSWER_LIMIT_SECS)
        return reply.content if reply.status_code == 200 else None
    except LOSSES:
        return None


def send(larder, dist):
    """Whether the upload was acknowledged."""
    try:
        return larder.upload("root/public", dist, timeout=ANSWER_LIMIT_SECS).status_code == 200
    except LOSSES:
        return False


def push(larder, source, project, target):
    """Whether the push of version 1.0 was acknowledged."""
    body = {"name": project, "version": "1.0", "targetindex": target}
    try:
        url = f"{larder.url}/{source}"
        return larder.http().request("PUSH", url, json=body, timeout=ANSWER_LIMIT_SECS).status_code == 200
    except LOSSES:
        return False


def stored(larder, project, dist):
    """The bytes served under the file's name, or None when the page does not list it."""
    url = larder.files("root/public", project).get(dist.filename)
    if url is None:
        return None
    reply = requests.get(url, timeout=30)
    assert reply.status_code == 200, f"listed but not served: {reply.status_code} {reply.text}"
    return reply.content


def ending_at(step):
    return {"FAILPOINTS": f"{step}=return(abort)"}


def check_after_restart(larder, place):
    """Nothing half-written anywhere; what a dead process was writing is gone."""
    assert not place.broken_blobs()
    assert not place.leftovers(), place.leftovers()
    assert "panicked" not in larder.log


@pytest.mark.parametrize("step", failpoints())
def test_killed_at_a_step_of_an_upload(step, new_larder, place):
    kept, other = wheel("kept", "1.0", payload=noise(300_000, "kept")), wheel("mine", "1.0")
    larder = new_larder().start()
    assert larder.upload("root/public", kept).status_code == 200
    larder.restart(environment=ending_at(step))
    acknowledged = send(larder, other)
    larder.kill()

    larder.start()
    check_after_restart(larder, place)
    assert stored(larder, "kept", kept) == kept.content
    found = stored(larder, "mine", other)
    assert found == other.content if acknowledged else found in (None, other.content)
    assert larder.upload("root/public", other).status_code == 200, "sending it again must do"
    assert stored(larder, "mine", other) == other.content


@pytest.mark.parametrize("step", failpoints())
def test_killed_at_a_step_of_a_cold_fetch(step, new_larder, place, upstream):
    dist = wheel("cold", "1.0", payload=noise(300_000, "cold"))
    upstream.add(dist)
    larder = new_larder().start().restart(environment=ending_at(step))
    path = f"/root/pypi/+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}"
    page = fetch(f"{larder.url}/root/pypi/+simple/cold/")
    body = fetch(larder.url + path) if page is not None else None
    assert body in (None, dist.content)
    larder.kill()

    larder.start()
    check_after_restart(larder, place)
    assert stored_in_mirror(larder, dist) == dist.content
    upstream.down()
    assert stored_in_mirror(larder, dist) == dist.content


def stored_in_mirror(larder, dist):
    reply = requests.get(larder.files("root/pypi", "cold")[dist.filename], timeout=30)
    assert reply.status_code == 200, f"{reply.status_code} {reply.reason} {reply.text}"
    return reply.content


@pytest.mark.parametrize("step", [step for step in failpoints() if step.startswith("app.push.")])
def test_killed_at_a_step_of_a_push(step, new_larder, place):
    dists = [wheel("mine", "1.0"), sdist("mine", "1.0")]
    larder = new_larder().start()
    larder.json("/root/work", method="PUT", json={"bases": ""})
    for dist in dists:
        assert larder.upload("root/work", dist).status_code == 200
    larder.restart(environment=ending_at(step))
    acknowledged = push(larder, "root/work", "mine", "root/public")
    larder.kill()

    larder.start()
    check_after_restart(larder, place)
    there = [stored(larder, "mine", dist) for dist in dists]
    whole = [dist.content for dist in dists]
    assert there == whole if acknowledged else there in (whole, [None, None]), "all of it or nothing"
    assert push(larder, "root/work", "mine", "root/public"), "pushing it again must do"
    assert [stored(larder, "mine", dist) for dist in dists] == whole


def test_every_step_is_reached_by_an_upload_a_fetch_or_a_push(pair, new_larder, new_place, upstream):
    """Guards the tests above against a step that nothing passes any more."""
    ours = [step for step in failpoints() if not belongs_to_the_other_pair(step, pair)]
    dist = wheel("cold", "1.0")
    upstream.add(dist)
    missed = []
    for step in ours:
        larder = new_larder(on=new_place(step)).start().restart(environment=ending_at(step))
        if send(larder, wheel("mine", "1.0")) and fetch(f"{larder.url}/root/pypi/+simple/cold/"):
            fetch(larder.files("root/pypi", "cold")[dist.filename])
            push(larder, "root/pypi", "cold", "root/public")
        if not larder.process.ended_by_itself(5):
            missed.append(step)
        larder.kill()
    assert not missed, f"never reached: {missed}"


def belongs_to_the_other_pair(step, pair):
    files_only, s3_only = ("blob.link", "blob.fsync"), ("blob.s3.",)
    return step.startswith(s3_only if pair == "sqlite-files" else files_only)


def test_killed_while_an_upload_is_on_its_way(larder, place):
    dist = wheel("mine", "1.0", payload=noise(2 << 20, "mine"))
    prepared = requests.Request(
        "POST", f"{larder.url}/root/public/", auth=("root", larder.password),
        data={":action": "file_upload", "name": "mine", "version": "1.0"},
        files={"content": (dist.filename, dist.content)},
    ).prepare()
    host, port = larder.url.removeprefix("http://").split(":")
    head = "".join(f"{key}: {value}\r\n" for key, value in prepared.headers.items())
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"POST /root/public/ HTTP/1.1\r\nhost: {host}\r\n{head}\r\n".encode())
        connection.sendall(prepared.body[: len(prepared.body) // 2])
        until(place.leftovers, "half of the upload lies on disk")
        larder.kill()
    larder.start()
    check_after_restart(larder, place)
    assert larder.page("root/public", "mine") is None
    assert larder.upload("root/public", dist).status_code == 200


def test_killed_while_a_cold_file_is_on_its_way(new_larder, place, upstream):
    larder = new_larder(*PATIENT).start()
    dist = wheel("cold", "1.0", payload=noise(2 << 20, "cold"))
    upstream.add(dist)
    url = larder.files("root/pypi", "cold")[dist.filename]
    upstream.fault(upstream.file_path(dist), {"stall_after": 1 << 20})
    with requests.get(url, stream=True, timeout=30) as reply:
        assert reply.status_code == 200
        first = reply.raw.read(1 << 19)
        assert place.leftovers(), "half of the file lies on disk"
        larder.kill()
        with pytest.raises(LOSSES):
            while reply.raw.read(1 << 16):
                pass
    assert first == dist.content[: 1 << 19]
    upstream.clear()
    larder.start()
    check_after_restart(larder, place)
    assert requests.get(url, timeout=30).content == dist.content


def test_killed_during_a_fetch_nobody_waits_for(new_larder, place, upstream):
    """The client has left; the fetch goes on alone, and dies with the process."""
    larder = new_larder(*PATIENT).start()
    dist = wheel("cold", "1.0", payload=noise(2 << 20, "cold"))
    upstream.add(dist)
    url = larder.files("root/pypi", "cold")[dist.filename]
    upstream.fault(upstream.file_path(dist), {"stall_after": 1 << 20})
    with requests.get(url, stream=True, timeout=30) as reply:
        reply.raw.read(1 << 16)
    larder.kill()
    upstream.clear()
    larder.start()
    check_after_restart(larder, place)
    assert requests.get(url, timeout=30).content == dist.content


def test_killed_at_random_under_load(new_larder, place, upstream):
    """Writers and readers run until the process dies under them; then everything is looked at."""
    dice = random.Random(20261123)
    cold = [wheel("cold", f"1.{i}", payload=noise(200_000, i)) for i in range(40)]
    upstream.add(*cold)
    larder = new_larder()
    acknowledged, unanswered = {}, {}
    for round_ in range(15):
        larder.start()
        over = threading.Event()

        def write(worker, round_=round_, over=over):
            for count in range(1000):
                if over.is_set():
                    return
                dist = wheel(f"w{worker}", f"{round_}.{count}", payload=noise(50_000, (worker, round_, count)))
                unanswered[dist.filename] = (f"w{worker}", dist)
                if send(larder, dist):
                    acknowledged[dist.filename] = unanswered.pop(dist.filename)

        def read(over=over, round_=round_):
            for dist in cold[round_ * 2 :]:
                if over.is_set():
                    return
                path = f"/root/pypi/+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}"
                assert fetch(larder.url + path) in (None, dist.content)

        larder.page("root/pypi", "cold")
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(write, worker) for worker in range(3)] + [pool.submit(read)]
            time.sleep(dice.uniform(0.02, 0.6))
            over.set()
            larder.kill()
            for job in work:
                job.result()

    larder.start()
    check_after_restart(larder, place)
    assert len(acknowledged) > 15, "hardly anything was written: the test proves nothing"
    pages = {f"w{worker}": larder.files("root/public", f"w{worker}") for worker in range(3)}
    lost = [name for name, (project, _) in acknowledged.items() if name not in pages[project]]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged uploads are lost: {lost}"
    sent = {**acknowledged, **unanswered}
    for page in pages.values():
        for name, url in page.items():
            assert requests.get(url, timeout=30).content == sent[name][1].content, name
