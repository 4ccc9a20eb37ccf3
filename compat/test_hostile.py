"""Whatever is sent: no server error, bounded memory, no file descriptor lost, nothing changed.

The rows themselves, with what each is answered, are tests in Rust (`crates/web/tests/bad_input`). Here
they come by the hundred and at once to a real process, which is watched from outside.
"""

import gzip
import hashlib
import io
import json
import os
import re
import socket
import sqlite3
import tarfile
import time
import zipfile
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.dists import sdist, wheel

MEMORY_LIMIT_MIB = 256
ANSWER_LIMIT_SECS = 20
MIB = 1 << 20
SECRET = "alices-own-password"
BOUNDARY = "frontier"
DEMO = sdist("demo", "1.0")


class Target:
    """A Larder with things that could be lost, and raw bytes on their way to it."""

    def __init__(self, larder):
        self.larder = larder
        self.address = ("127.0.0.1", larder.port)
        for path, body in [
            ("/alice", {"password": SECRET}),
            ("/alice/dev", {"bases": "root/pypi", "acl_upload": "alice", "acl_toxresult_upload": "alice"}),
            ("/alice/prod", {"volatile": False}),
        ]:
            larder.json(path, method="PUT", json=body)
        session = larder.http("alice", SECRET)
        form = {":action": "file_upload", "name": "demo", "version": "1.0"}
        reply = session.post(f"{larder.url}/alice/dev/", data=form, files={"content": (DEMO.filename, DEMO.content)})
        assert reply.status_code == 200, reply.text
        self.file = larder.files("alice/dev", "demo")[DEMO.filename].removeprefix(larder.url)
        self.alice = "Basic " + b64encode(f"alice:{SECRET}".encode()).decode()
        self.statuses = []

    def send(self, *pieces):
        """Writes all pieces, reads to the end, gives the status; 0 when there was none."""
        with socket.create_connection(self.address, timeout=ANSWER_LIMIT_SECS) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:
                pass  # refused before all of it was sent
            answer = b""
            try:
                while len(answer) < MIB and (chunk := connection.recv(65536)):
                    answer += chunk
            except ConnectionError:
                pass
        found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
        status = int(found.group(1)) if found else 0
        assert status < 500 or status == 503, answer[:400]
        assert b"panicked" not in answer and str(self.larder.place.folder).encode() not in answer, answer[:400]
        self.statuses.append(status)
        return status

    def ask(self, line, *body, kind="application/json", length=None, auth=None, more=""):
        length = sum(map(len, body)) if length is None else length
        head = (
            f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {auth or self.alice}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n"
        )
        return self.send(head.encode(), *body)

    def form(self, *pieces, count=1):
        """An upload's form out of pieces, of which the last one is sent `count` times."""
        *first, last = pieces
        length = sum(map(len, first)) + len(last) * count
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.ask("POST /alice/dev/", *first, *[last] * count, kind=kind, length=length)

    def upload(self, name, version, filename, content):
        fields = {":action": "file_upload", "name": name, "version": version}
        return self.form(*[field(*pair) for pair in fields.items()], file(filename, content))

    def is_well(self):
        began = time.monotonic()
        with self.larder.http(None) as session:
            reply = session.get(self.larder.url + "/+api", timeout=ANSWER_LIMIT_SECS)
        assert reply.status_code == 200 and time.monotonic() - began < 5

    # what is watched

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.larder.process.pid}/fd"))

    def peak_mib(self):
        status = Path(f"/proc/{self.larder.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024

    def state(self):
        """Every row of every table, and every stored file."""
        digest = hashlib.sha256()
        [path] = self.larder.place.serverdir.glob("*.sqlite")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            names = database.execute("select name from sqlite_master where type = 'table' order by name")
            for (name,) in names.fetchall():
                rows = database.execute(f'select * from "{name}"').fetchall()
                digest.update(repr((name, sorted(map(repr, rows)))).encode())
        blobs = sorted(name for name, _ in self.larder.place.blobs())
        return digest.hexdigest(), blobs


def field(name, value):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    return head.encode()


def file(filename, content):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def zip_of_zeros(path, size, more=()):
    """A zip whose one large member is nothing but zeros, and further members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in more:
            archive.writestr(name, body)
        with archive.open(path, "w") as member:
            for _ in range(size // MIB):
                member.write(bytes(MIB))
    return out.getvalue()


def tar_of_zeros(path, size):
    """The same as a packed tar."""
    info = tarfile.TarInfo(path)
    info.size = size
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as packed:
        packed.write(info.tobuf())
        for _ in range(size // MIB):
            packed.write(bytes(MIB))
        packed.write(bytes(1024))
    return out.getvalue()


# what is sent


def heads(target):
    get = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    long = b"x" * MIB
    for head in [
        b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nConnection: close\r\n\r\n",
        get + b"X: a\0b\r\n\r\n", get + b"X : y\r\n\r\n", get + b"Host: y\r\n\r\n",
        get + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", get + b"Content-Length: -1\r\n\r\n",
        get + b"Content-Length: 99999999999999999999\r\n\r\n",
        get + b"Transfer-Encoding: xchunked\r\n\r\n",
        get + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        get + b"".join(b"X-%d: y\r\n" % i for i in range(10_000)) + b"\r\n",
        get + b"X: " + long + b"\r\n\r\n", get + b"Authorization: Basic " + long + b"\r\n\r\n",
        b"GET /" + long + b" HTTP/1.1\r\nHost: x\r\n\r\n", long,
        get + b"Transfer-Encoding: chunked\r\n\r\n2;" + long + b"\r\n{}\r\n0\r\n\r\n",
        get + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: " + long + b"\r\n\r\n",
    ]:
        target.send(head)


def paths(target):
    for path in [
        "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%00", "/%ff%fe/",
        "/%zz", "/alice/dev/+f/../../../larder.sqlite", "/alice/dev/+f/%2e%2e/%2e%2e/larder.sqlite",
        "/alice/dev/+simple/demo%0d%0aSet-Cookie:%20x=1", "/alice/dev/+simple/%E2%80%AEomed/",
        "/%5cevil.example.com/", "/alice%2fdev/+simple/demo/", "/" + "a/" * 4000, "/" + "a" * 5000,
        "http://169.254.169.254/latest/", "/alice/dev/demo/1.0/+doc/%2e%2e/%2e%2e/x", "/+search?query=" + "*" * 1000,
        target.file + "%00.html", target.file + "/../../../x", target.file + "?" + "y" * 50_000,
    ]:
        for method in ("GET", "HEAD", "DELETE", "PUT", "PATCH", "TRACE"):
            # without credentials nothing good can become of a deletion
            target.ask(f"{method} {path}", b"{}", auth="Basic eDp5" if path.startswith(target.file) else None)
    for header in ["Range: bytes=" + "0-0,1-1," * 500 + "0-0", "If-None-Match: " + '"x", ' * 8000, "Accept: " + "a/b;q=0.1," * 5000]:
        target.ask(f"GET {target.file}", more=header + "\r\n")


def bodies(target):
    endpoints = [
        "POST /+login", "PUT /carol", "PATCH /alice", "PUT /alice/new", "PATCH /alice/dev", "PUSH /alice/dev",
        "POST /alice/dev", "PUT /alice/dev/demo/1.0/+yank", f"POST {target.file}",
    ]
    key_and_value = b'{"custom_data":%s,"more":1,"type":"evil","username":"root","pwhash":"x"}'
    for line in endpoints:
        for body in [
            b"", b"null", b"[", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe{}", b"{}" + b" " * (20 * MIB),
            b"[" + b"0," * 400_000 + b"0]", b"[" + b"[]," * 300_000 + b"[]]", b"9" * 900_000,
            b'{"%s":1}' % (b"k" * 900_000), key_and_value % (b"[" + b"[]," * 300_000 + b"[]]"),
            json.dumps({f"k{i}": i for i in range(50_000)}).encode(),
        ]:
            if body.startswith(b"{") and line == f"POST {target.file}":
                continue  # any object is a test result
            status = target.ask(line, body)
            is_ignored = line == "PATCH /alice" and body.startswith(b'{"kkk')
            assert 400 <= status < 500 or is_ignored, (line, body[:40], status)
        target.ask(line, gzip.compress(bytes(10 * MIB)), more="Content-Encoding: gzip\r\n")


def forms(target):
    action = field(":action", "file_upload")
    many = field("classifiers", "x") * 50_000
    noise, megabyte = b"x" * MIB, b"X: y\r\n" * 174_763
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'.encode()
    assert target.form(action, many) == 400
    assert target.form(action, part + b'description"\r\n\r\n', noise, count=50) in (400, 413)
    assert target.form(action, part + b'a"\r\nX: ', noise, count=300) == 400
    assert target.form(action, part, noise, count=60) == 400
    assert target.form(action, part + b'a"\r\n', megabyte, count=60) == 400
    assert target.form(noise, count=60) == 400
    assert target.form(action, part + b'content"; filename="demo-2.0.tar.gz"\r\n\r\n', noise, count=100) == 400
    assert target.form(action, part + b'other"; filename="x"\r\n\r\n', noise, count=100) == 400


def archives(target):
    zeros = 300 * MIB
    bomb = zip_of_zeros("bomb/zeros", zeros, [("bomb-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: bomb\nVersion: 1.0\n")])
    assert target.upload("bomb", "1.0", "bomb-1.0-py3-none-any.whl", bomb) in (400, 413)
    metadata = zip_of_zeros("bomb-1.0.dist-info/METADATA", zeros)
    assert target.upload("bomb", "1.0", "bomb-1.0-py3-none-any.whl", metadata) in (400, 413)
    packed = tar_of_zeros("bomb-1.0/PKG-INFO", zeros)
    assert target.upload("bomb", "1.0", "bomb-1.0.tar.gz", packed) in (400, 413)
    pages = zip_of_zeros("index.html", zeros)
    docs = [field(":action", "doc_upload"), field("name", "demo"), field("version", "1.0"), file("docs.zip", pages)]
    assert target.form(*docs) in (400, 413)
    good = wheel("demo", "9.0").content
    for cut in range(0, len(good), 60):
        assert target.upload("demo", "9.0", "demo-9.0-py3-none-any.whl", good[:cut]) == 400


def results(target):
    line = f"POST {target.file}"
    nested = b'{"a":[' + b"[]," * (15 * MIB // 3) + b"[]]"
    assert target.ask(line, nested) == 400  # its end is missing
    assert target.ask(line, b'{"a":"' + b"x" * (30 * MIB) + b'"}') == 413
    # before anything of it is read: this caller may not
    assert target.ask(line, b"{}" + b" " * (15 * MIB), auth="Basic eDp5") in (401, 403)


def crowds(target):
    description = field("description", "x" * (9 * MIB))
    broken = [field(":action", "file_upload"), description]
    with ThreadPoolExecutor(8) as pool:
        uploads = [pool.submit(target.form, *broken) for _ in range(8)]
        assert {upload.result() for upload in uploads} == {400}
    large = b'{"custom_data":[' + b"[]," * 300_000 + b"[]]}"
    with ThreadPoolExecutor(16) as pool:
        changes = [pool.submit(target.ask, "PATCH /alice/prod", large) for _ in range(32)]
        assert {change.result() for change in changes} <= {400, 413}
    wrong = json.dumps({"user": "alice", "password": "wrong"}).encode()
    with ThreadPoolExecutor(16) as pool:
        logins = [pool.submit(target.ask, "POST /+login", wrong) for _ in range(48)]
        assert {login.result() for login in logins} <= {401, 429, 503}


def half_open(target):
    """Connections that are left in the middle of a head, of a JSON body, of an upload."""
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    starts = [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
        f"PATCH /alice HTTP/1.1\r\nHost: x\r\nAuthorization: {target.alice}\r\nContent-Type: application/json\r\n"
        f"Content-Length: 900000\r\n\r\n".encode() + b'{"a":' + b"1" * 400_000,
        f"POST /alice/dev/ HTTP/1.1\r\nHost: x\r\nAuthorization: {target.alice}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: 90000000\r\n\r\n".encode() + field(":action", "file_upload")
        + file("demo-2.0.tar.gz", b"x" * MIB)[:-40],
    ]
    open_ones = []
    for number in range(90):
        connection = socket.create_connection(target.address, timeout=ANSWER_LIMIT_SECS)
        connection.sendall(starts[number % 3])
        open_ones.append(connection)
    target.is_well()
    for connection in open_ones:
        connection.close()


def settles(holds, limit_secs=20):
    limit = time.monotonic() + limit_secs
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.pairs("sqlite-files")
def test_a_process_survives_all_bad_input_in_bounded_memory(larder):
    target = Target(larder)
    with ThreadPoolExecutor(32) as pool:
        # connections to the database and threads that it keeps from now on
        list(pool.map(lambda _: target.is_well(), range(200)))
    assert settles(lambda: target.descriptors() < 64)
    descriptors, state = target.descriptors(), target.state()
    for attack in (heads, paths, bodies, forms, archives, results, crowds, half_open):
        attack(target)
        target.is_well()
        assert larder.process.is_running(), attack.__name__
        assert target.state() == state, f"{attack.__name__} changed something"
        peak = target.peak_mib()
        print(f"{attack.__name__}: {len(target.statuses)} answers, at most {peak:.0f} MiB")
        assert peak < MEMORY_LIMIT_MIB, f"{attack.__name__}: {peak:.0f} MiB"
    assert len(target.statuses) > 350 and target.statuses.count(0) < 20
    assert settles(lambda: not larder.place.leftovers()), larder.place.leftovers()
    assert settles(lambda: target.descriptors() <= descriptors + 4), (descriptors, target.descriptors())
    log = larder.log
    assert SECRET not in log and larder.password not in log and target.alice[6:] not in log
    assert "panicked" not in log and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log)
    assert larder.stop() == 0
