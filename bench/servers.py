"""The servers that are compared: Larder, real devpi-server, and nginx as the limit."""

import gzip
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from corpus import project_of
from harness.processes import ROOT

BIN = Path(sys.executable).parent
PASSWORD = "benchmark-only"
ACCEPT = "application/vnd.pypi.simple.v1+json"
SIMPLE = "/root/pypi/+simple/"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process on a loopback port that answers `probe` once it is up."""

    probe = "/+api"

    def __init__(self, folder, name):
        self.name, self.folder = name, Path(folder) / name
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.popen = None

    def start(self):
        """Starts it and gives the seconds until it answers."""
        with open(self.folder / "log", "ab") as log:
            began = time.perf_counter()
            self.popen = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "DEVPI_PASSWORD": PASSWORD},
            )
        while True:
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{(self.folder / 'log').read_text()[-2000:]}")
            try:
                self.session.get(self.url + self.probe, timeout=5)
                return time.perf_counter() - began
            except requests.ConnectionError:
                time.sleep(0.002)

    def stop(self):
        if self.popen is not None and self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(20)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()

    def resident_mb(self):
        """Resident memory in MB: all of it, and the part that is not mapped files."""
        fields = {}
        for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            key, _, rest = line.partition(":")
            if key in ("VmRSS", "RssAnon"):
                fields[key] = int(rest.split()[0]) / 1024
        return fields["VmRSS"], fields["RssAnon"]

    def page_url(self, project):
        return f"{self.url}{SIMPLE}{project}/"

    def file_url(self, dist):
        page = self.session.get(self.page_url(project_of(dist)), headers={"accept": ACCEPT}, timeout=60)
        page.raise_for_status()
        urls = {file["filename"]: file["url"] for file in page.json()["files"]}
        return requests.compat.urljoin(page.url, urls[dist.filename]).split("#")[0]


class Larder(Server):
    def __init__(self, folder, upstream_url, binary):
        super().__init__(folder, "larder")
        self.upstream_url, self.binary = upstream_url, binary

    def command(self):
        return [
            self.binary, "serve", "--serverdir", str(self.folder / "data"), "--host", "127.0.0.1",
            "--port", str(self.port), "--mirror-url", self.upstream_url,
        ]


class Devpi(Server):
    """devpi-server with the cheapest settings for its secret, so that its start is not held against it."""

    def __init__(self, folder, upstream_url):
        super().__init__(folder, "devpi")
        self.upstream_url, self.data = upstream_url, self.folder / "data"
        subprocess.run(
            [str(BIN / "devpi-init"), "--serverdir", str(self.data), "--no-root-pypi", "--root-passwd", PASSWORD],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def command(self):
        return [
            str(BIN / "devpi-server"), "--serverdir", str(self.data), "--host", "127.0.0.1",
            "--port", str(self.port), "--argon2-memory-cost", "8", "--argon2-parallelism", "1",
            "--argon2-time-cost", "1", "--request-timeout", "30",
        ]

    def make_mirror(self):
        config = {
            "type": "mirror", "volatile": False, "mirror_url": self.upstream_url,
            "mirror_no_project_list": True,
        }
        reply = self.session.put(self.url + "/root/pypi", json=config, auth=("root", PASSWORD), timeout=60)
        reply.raise_for_status()


class Nginx(Server):
    """Serves the pages and files that Larder answered, from disk: what the machine can do at most."""

    probe = "/"

    def __init__(self, folder, corpus_folder):
        super().__init__(folder, "nginx")
        self.root = self.folder / "root"
        self.root.mkdir()
        (self.root / "files").symlink_to(Path(corpus_folder).resolve())
        for part in ("body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (self.folder / part).mkdir()
        temporary = "\n".join(
            f"    {'client_body' if part == 'body' else part}_temp_path {self.folder / part};"
            for part in ("body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"""
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
pid {self.folder}/pid;
error_log {self.folder}/error.log;
worker_processes {os.cpu_count()};
events {{ worker_connections 1024; }}
http {{
{temporary}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    open_file_cache max=100;
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{self.port};
        root {self.root};
        location /pages/ {{ default_type {ACCEPT}; gzip_static on; }}
        location /files/ {{ }}
    }}
}}
"""
        )

    def command(self):
        nginx = "/usr/sbin/nginx"
        return [nginx, "-e", str(self.folder / "error.log"), "-c", str(self.folder / "nginx.conf")]

    def put_page(self, project, body):
        folder = self.root / "pages"
        folder.mkdir(exist_ok=True)
        (folder / project).write_bytes(body)
        (folder / f"{project}.gz").write_bytes(gzip.compress(body, 6))

    def page_url(self, project):
        return f"{self.url}/pages/{project}"

    def file_url(self, dist):
        return f"{self.url}/files/{dist.filename}"


def release_binary():
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    path = Path(os.environ.get("LARDER_BENCH_BIN", folder / "larder"))
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: cargo build --release --bin larder")
    return str(path)
