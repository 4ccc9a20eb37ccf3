"""Starts the two programs under test, waits for the line that says they listen, and ends them."""

import ctypes
import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
START_LIMIT_SECS = 30


class StartError(Exception):
    """The process ended, or said nothing in time; carries its exit code and its log."""

    def __init__(self, code, log):
        super().__init__(f"exit code {code}:\n{log}")
        self.code, self.log = code, log


def binary(name):
    """A debug binary of this workspace; `LARDER_BIN_DIR` names another folder."""
    folder = os.environ.get("LARDER_BIN_DIR")
    if folder is None:
        folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    path = Path(folder) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: cargo build --workspace --all-features --all-targets")
    return str(path)


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program that says where it listens on one of its streams."""

    def __init__(self, command, environment, pattern, stream):
        self.lines = []
        self._url, self._listens = None, threading.Event()
        self._pattern = re.compile(pattern)
        self.popen = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if stream == "stdout" else subprocess.PIPE,
            preexec_fn=_die_with_parent,
        )
        streams = [self.popen.stdout] + ([self.popen.stderr] if self.popen.stderr else [])
        self._readers = [threading.Thread(target=self._read, args=(s,), daemon=True) for s in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        for raw in stream:
            line = re.sub(r"\x1b\[[0-9;]*m", "", raw.decode(errors="replace").rstrip("\n"))
            self.lines.append(line)
            found = self._pattern.search(line)
            if found and self._url is None:
                self._url = found.group(1)
                self._listens.set()

    def wait_until_listening(self):
        limit = time.monotonic() + START_LIMIT_SECS
        while not self._listens.wait(0.02):
            if self.popen.poll() is not None or time.monotonic() > limit:
                code = self.popen.poll()
                self.kill()
                raise StartError(code, self.log)
        return self._url.rstrip("/")

    @property
    def log(self):
        return "\n".join(self.lines)

    @property
    def pid(self):
        return self.popen.pid

    def processor_secs(self):
        """Seconds of a processor that all its threads have had so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_running(self):
        return self.popen.poll() is None

    def ended_by_itself(self, limit_secs):
        """Whether it is gone, or goes within a while."""
        try:
            self.popen.wait(limit_secs)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        """Asks it to end and gives the exit code."""
        if self.is_running():
            self.popen.send_signal(signal.SIGTERM)
        return self._reap(30)

    def kill(self):
        if self.is_running():
            self.popen.kill()
        return self._reap(10)

    def _reap(self, limit):
        try:
            code = self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise AssertionError(f"did not end within {limit} s:\n{self.log}") from None
        for reader in self._readers:
            reader.join(5)
        return code


class FakeIndex:
    """The upstream: a folder of distributions as a simple index, with faults on demand."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = Process(
            [binary("fake-index"), "--port", "0", "--dir", str(folder)],
            {"PATH": os.environ["PATH"]}, r"(http://127\.0\.0\.1:\d+\S*)", "stdout",
        )
        self.url = self.process.wait_until_listening() + "/"
        self.origin = re.match(r"http://[^/]+", self.url).group(0)
        self._control = requests.Session()
        self._control.trust_env = False

    def add(self, *dists):
        for dist in dists:
            dist.write(self.folder)

    def hits(self, part):
        """How often paths that contain `part` were asked for."""
        counts = self._control.get(f"{self.origin}/_hits", timeout=10).json()
        return sum(count for path, count in counts.items() if part in path)

    def file_hits(self, dist):
        """Requests for the file itself, not for its metadata."""
        counts = self._control.get(f"{self.origin}/_hits", timeout=10).json()
        return sum(count for path, count in counts.items() if path.endswith("/" + dist.filename))

    def fault(self, path, fault, times=None):
        """Misbehaves on a path: `"hang"`, `{"status": 500}`, `{"stall_after": 1000}`, …"""
        self._post("/_fault", {"path": path, "fault": fault, "times": times})

    def clear(self):
        """Ends all faults; what hangs goes on."""
        self._post("/_clear")

    def file_path(self, dist):
        """The path of a file, as this index links to it."""
        reply = self._control.get(
            f"{self.url}{dist.filename.split('-')[0].replace('_', '-')}/", timeout=10,
            headers={"accept": "application/vnd.pypi.simple.v1+json"},
        )
        urls = {file["filename"]: file["url"] for file in reply.json()["files"]}
        joined = requests.compat.urljoin(reply.url, urls[dist.filename])
        return joined.removeprefix(self.origin)

    def yank(self, dist, reason):
        self._post("/_yank", {"filename": dist.filename, "reason": reason})

    def down(self):
        self._post("/_down")

    def up(self):
        self._post("/_up")

    def reset(self):
        self._post("/_reset")

    def _post(self, path, body=None):
        data = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"}
        reply = self._control.post(self.origin + path, data=data, headers=headers, timeout=10)
        assert reply.ok, f"{path}: {reply.status_code} {reply.text}"

    def stop(self):
        self.process.kill()


class Larder:
    """One node: the binary, its options and what it listens on. May be started again and again."""

    PASSWORD = "changemetoyourlongsecret"

    def __init__(self, place, *arguments, upstream=None, password=PASSWORD, environment=()):
        self.place, self.password = place, password
        self.arguments = list(arguments)
        if upstream is not None:
            self.arguments += ["--mirror-url", upstream.url]
        self.environment = dict(environment)
        self.port, self.process, self.url = 0, None, None

    def start(self, *more, environment=()):
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(self.place.folder), **self.place.environment}
        if self.password is not None:
            variables["DEVPI_PASSWORD"] = self.password
        variables.update(self.environment)
        variables.update(environment)
        command = [
            binary("larder"), "serve", "--host", "127.0.0.1", "--port", str(self.port),
            *self.place.arguments, *self.arguments, *more,
        ]
        self.process = Process(command, variables, r"listening on (http://127\.0\.0\.1:\d+)", "stderr")
        self.url = self.process.wait_until_listening()
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def restart(self, *more, environment=()):
        assert self.stop() == 0, self.process.log
        return self.start(*more, environment=environment)

    def stop(self):
        return self.process.stop()

    def kill(self):
        return self.process.kill()

    @property
    def log(self):
        return self.process.log

    def http(self, user="root", password=None):
        """A session of requests with Basic credentials; `user=None` is anonymous."""
        session = requests.Session()
        session.trust_env = False
        if user is not None:
            session.auth = (user, self.password if password is None else password)
        return session

    def json(self, path, user="root", method="GET", **arguments):
        headers = {"accept": "application/json"}
        reply = self.http(user).request(method, self.url + path, headers=headers, timeout=30, **arguments)
        assert reply.ok, f"{method} {path}: {reply.status_code} {reply.reason} {reply.text}"
        return reply.json().get("result")

    def page(self, index, project):
        """The project page as JSON, or None when there is none."""
        headers = {"accept": "application/vnd.pypi.simple.v1+json"}
        url = f"{self.url}/{index}/+simple/{project}/"
        reply = self.http(None).get(url, headers=headers, timeout=30)
        if reply.status_code == 404:
            return None
        assert reply.status_code == 200, f"{url}: {reply.status_code} {reply.reason} {reply.text}"
        return reply.json()

    def files(self, index, project):
        """File name to absolute URL, as the project page lists them."""
        page = self.page(index, project)
        base = f"{self.url}/{index}/+simple/{project}/"
        join = requests.compat.urljoin
        return {file["filename"]: join(base, file["url"]) for file in (page or {}).get("files", [])}

    def upload(self, index, dist, timeout=60, **fields):
        """A plain upload as twine sends it, for tests that need to see the reply itself."""
        name, version = dist.filename.removesuffix(".tar.gz").split("-")[:2]
        form = {
            ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1",
            "name": name, "version": version, "sha256_digest": dist.sha256,
            "filetype": "sdist" if dist.filename.endswith(".tar.gz") else "bdist_wheel",
            "pyversion": "source" if dist.filename.endswith(".tar.gz") else "py3", **fields,
        }
        files = {"content": (dist.filename, dist.content, "application/octet-stream")}
        return self.http().post(f"{self.url}/{index}/", data=form, files=files, timeout=timeout)
