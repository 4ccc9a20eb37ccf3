"""pip, uv, twine and devpi-client, each as a user runs it and in an environment of its own.

Nothing of this machine's configuration reaches them: the environment is made from nothing, the home
folder is empty, and caches start cold.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .processes import ROOT

BIN = Path(sys.executable).parent
# where scripts/setup-clients puts the others, each in an environment of its own
OTHERS = Path(os.environ.get("LARDER_CLIENTS", ROOT / ".cache" / "clients"))
LIMIT_SECS = 120


def other_client(name):
    """The folder with the programs of another client."""
    folder = OTHERS / name / "bin"
    if not folder.exists():
        raise FileNotFoundError(f"{folder} is missing: scripts/setup-clients")
    return folder


@dataclass
class Outcome:
    command: str
    code: int
    output: str

    def ok(self):
        assert self.code == 0, f"{self.command}\nexit code {self.code}\n{self.output}"
        return self

    def failed(self):
        assert self.code != 0, f"{self.command}\nshould have failed\n{self.output}"
        return self

    def says(self, *words):
        for text in words:
            assert text in self.output, f"{self.command}\ndid not say {text!r}:\n{self.output}"
        return self

    def omits(self, *words):
        for text in words:
            assert text not in self.output, f"{self.command}\nsaid {text!r}:\n{self.output}"
        return self

    @property
    def lines(self):
        return self.output.splitlines()


class Client:
    """A home folder and the commands run from it: one person, or one build container."""

    def __init__(self, home):
        self.home = Path(home)
        self.work = self.home / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        (self.home / "tmp").mkdir(exist_ok=True)
        self.environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "LANG": "C.UTF-8",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_INPUT": "1",
            "PIP_RETRIES": "0",
            "PIP_TIMEOUT": "20",
            "PIP_ROOT_USER_ACTION": "ignore",
            "UV_HTTP_RETRIES": "0",
            "UV_PYTHON_DOWNLOADS": "never",
            "NO_COLOR": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "COLUMNS": "400",
        }
        self._targets = 0

    def run(self, *command, **variables):
        """Runs a program with arguments; keyword arguments are further environment variables."""
        return self.answer((), *command, **variables)

    def answer(self, answers, *command, **variables):
        """Runs a program that asks, without a terminal; each answer is a line."""
        done = subprocess.run(
            [str(word) for word in command], env={**self.environment, **variables}, cwd=self.work,
            input="".join(f"{answer}\n" for answer in answers), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=LIMIT_SECS, errors="replace", text=True,
            start_new_session=True,
        )
        return Outcome(" ".join(map(str, command)), done.returncode, done.stdout)

    def prefer(self, folder):
        """Programs of this folder come before all others."""
        self.environment["PATH"] = f"{folder}:{self.environment['PATH']}"

    def script(self, name, text):
        """Puts a program of this text first on the path."""
        folder = self.home / "bin"
        if not folder.exists():
            folder.mkdir()
            self.prefer(folder)
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)

    def sh(self, script, **variables):
        """Runs a line as a Dockerfile's RUN does."""
        return self.run("/bin/sh", "-ec", script, **variables)

    def configure_pip(self, text):
        path = self.home / ".config" / "pip" / "pip.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    # installing

    def pip(self, *arguments, **variables):
        return self.run(sys.executable, "-m", "pip", *arguments, **variables)

    def pip_install(self, index_url, *requirements):
        """Installs from this index and no other; the outcome has `versions` of what came."""
        target = self._new_target()
        outcome = self.pip(
            "install", "--index-url", index_url, "--target", target, *requirements,
            PIP_CONFIG_FILE=os.devnull,
        )
        return _with_versions(outcome, target)

    def pip_install_configured(self, *requirements):
        """Installs as pip.conf says."""
        target = self._new_target()
        return _with_versions(self.pip("install", "--target", target, *requirements), target)

    def uv_install(self, index_url, *requirements):
        target = self._new_target()
        outcome = self.run(
            "uv", "pip", "install", "--no-config", "--python", sys.executable,
            "--index-url", index_url, "--target", target, *requirements,
        )
        return _with_versions(outcome, target)

    def uv_install_configured(self, *requirements):
        """Installs as uv.toml says."""
        target = self._new_target()
        outcome = self.run(
            "uv", "pip", "install", "--python", sys.executable, "--target", target, *requirements
        )
        return _with_versions(outcome, target)

    def _new_target(self):
        self._targets += 1
        return self.home / f"target-{self._targets}"

    # uploading

    def twine(self, repository_url, user, password, *files):
        return self.run(
            "twine", "upload", "--disable-progress-bar", "--repository-url", repository_url,
            "--username", user, "--password", password, *files,
        )

    def uv_publish(self, publish_url, user, password, *files, more=()):
        return self.run(
            "uv", "publish", "--no-config", "--publish-url", publish_url, "--username", user,
            "--password", password, *more, *files,
        )

    def devpi(self, *arguments, **variables):
        return self.run("devpi", *arguments, **variables)


def _with_versions(outcome, target):
    """Adds what is installed in `target`: project name to version."""
    infos = target.glob("*.dist-info") if target.exists() else []
    outcome.versions = dict(info.name.removesuffix(".dist-info").split("-", 1) for info in infos)
    return outcome
