"""Starts containers under names of its own and removes exactly those again.

Everything runs by the `docker` command, on its default network, as the promises say: a client
reaches a server by the port it publishes on the client's default route.
"""

import base64
import json
import re
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

START_LIMIT_SECS = 60
COMMAND_LIMIT_SECS = 900
BUILD_LIMIT_SECS = 7200
POLL_SECS = 0.1
DOCKERFILE = Path(__file__).resolve().parent.parent / "Dockerfile"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(AssertionError):
    """A command or a server did not do what was promised; says what it printed."""


def why_no_docker():
    """A reason for which containers cannot be run here, or None."""
    try:
        command = ["docker", "version", "--format", "{{.Server.Os}}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        return "the command docker is missing"
    except subprocess.TimeoutExpired:
        return "the daemon does not answer"
    if done.returncode != 0:
        return "the daemon does not answer: " + (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return None if done.stdout.strip() == "linux" else "the daemon runs no Linux containers"


def call(*command, check=True, limit_secs=COMMAND_LIMIT_SECS, **options):
    """Runs a command; its output, with what it complained of, is in `stdout`."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
    done = subprocess.run(
        [str(word) for word in command], text=True, errors="replace", timeout=limit_secs, **streams,
    )
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\nexit code {done.returncode}\n{done.stdout}")
    return done


def free_port():
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


class Containers:
    """Everything one run of the test makes, under one random prefix."""

    def __init__(self, base):
        self.base = base
        self.prefix = f"larder-test-{secrets.token_hex(4)}"
        self.folder = Path(tempfile.mkdtemp(prefix="larder-container-"))
        self.folder.chmod(0o755)
        self._made, self._images = [], []

    def name(self, of_what):
        """A name that is removed at the end, whether or not a container comes to bear it."""
        name = f"{self.prefix}-{of_what}"
        if name not in self._made:
            self._made.append(name)
        return name

    def remove(self, name):
        call("docker", "rm", "--force", "--volumes", name)

    def build(self, tag, context, *, target=None, **arguments):
        """An image of the Dockerfile beside this folder."""
        image = f"{self.prefix}:{tag}"
        self._images.append(image)
        call(
            "docker", "build", "--tag", image, "--file", DOCKERFILE,
            *([f"--target={target}"] if target else []),
            *(f"--build-arg={name}={value}" for name, value in arguments.items()),
            context, limit_secs=BUILD_LIMIT_SECS,
        )
        return image

    def next_version(self, image, tag):
        """An image that differs from this one in nothing but its version."""
        following, context = f"{self.prefix}:{tag}", self.folder / tag
        self._images.insert(0, following)
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM {image}\nLABEL org.opencontainers.image.version={tag}\n")
        call("docker", "build", "--tag", following, context)
        return following

    def once(self, image, *command, options=(), check=True):
        """Runs a container to its end and removes it."""
        name = self.name(f"once-{secrets.token_hex(4)}")
        done = call("docker", "run", "--rm", "--name", name, *options, image, *command, check=False)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}\nexit code {done.returncode}\n{done.stdout}")
        return done

    def shell(self, script, *, folder=None, options=(), check=True):
        """Runs lines as a Dockerfile's RUN does, in a client container of their own."""
        mounts = [f"--volume={folder}:/build", "--workdir=/build"] if folder else []
        return self.once(self.base, "sh", "-ec", script, options=[*mounts, *options], check=check)

    def data_folder(self, name, owner=1000):
        path = self.folder / name
        path.mkdir()
        self.shell(f"chown {owner}:{owner} /build", folder=path)
        return path

    def close(self):
        """Removes the containers, images and folders this run made."""
        existing = call("docker", "ps", "--all", "--format", "{{.Names}}").stdout.split()
        for name in self._made:
            if name in existing:
                self.remove(name)
        # what servers wrote belongs to other users
        self.shell("find /build -mindepth 1 -delete", folder=self.folder)
        self.folder.rmdir()
        for image in self._images:
            call("docker", "rmi", "--force", image, check=False)


@dataclass
class Reply:
    status: int
    body: str

    def json(self):
        return json.loads(self.body)["result"]


class Server:
    """A Larder container whose port 3141 is published."""

    def __init__(self, name, port):
        self.name, self.port = name, port
        self.url = f"http://127.0.0.1:{port}"

    @property
    def log(self):
        text = call("docker", "logs", self.name).stdout
        return re.sub(r"\x1b\[[0-9;]*m", "", text)

    def state(self):
        return json.loads(call("docker", "inspect", "--format", "{{json .State}}", self.name).stdout)

    def wait(self):
        """Until it answers; or says why it does not."""
        limit = time.monotonic() + START_LIMIT_SECS
        while True:
            try:
                if self.request("/+api", timeout=5).status == 200:
                    return self
            except OSError as error:
                reason = error
            else:
                reason = "no answer 200"
            state = self.state()
            if state["Status"] in ("exited", "restarting", "dead"):
                raise Failed(f"{self.name} ended with {state['ExitCode']}:\n{self.log}")
            if time.monotonic() > limit:
                raise Failed(f"{self.name} does not answer: {reason}\n{self.log}")
            time.sleep(POLL_SECS)

    def request(self, path, method="GET", body=None, credentials=None, timeout=30):
        headers = {"accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["content-type"] = "application/json"
        if credentials is not None:
            token = base64.b64encode(":".join(credentials).encode()).decode()
            headers["authorization"] = f"Basic {token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with OPENER.open(request, timeout=timeout) as reply:
                return Reply(reply.status, reply.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read().decode(errors="replace"))

    def login_status(self, password, user="root"):
        return self.request("/+login", "POST", {"user": user, "password": password}).status
