"""`larder yank`, and what installers make of a yanked release."""

import subprocess

import pytest

from harness.dists import sdist, wheel
from harness.processes import binary


@pytest.fixture
def yank(larder, tmp_path):
    """Runs `larder yank` as the operator does, on root/public."""
    secret = tmp_path / "password"
    secret.write_text(larder.password + "\n")

    def run(*words, password_file=secret):
        command = [binary("larder"), "yank", "--server", larder.url, "--password-file", str(password_file)]
        return subprocess.run(
            [*command, *words], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60
        )

    return run


def test_a_yanked_release_is_passed_over_unless_it_is_pinned(larder, client, yank):
    for version in ("1.0", "1.1"):
        assert larder.upload("root/public", wheel("mine", version)).status_code == 200
    done = yank("--reason", "eats data", "root/public", "mine==1.1")
    assert (done.returncode, done.stdout) == (0, "1 file of mine 1.1 yanked\n"), done.stderr
    url = f"{larder.url}/root/public/+simple/"
    assert client.pip_install(url, "mine").ok().versions == {"mine": "1.0"}
    pinned = client.pip_install(url, "mine==1.1").ok().says("yanked", "eats data")
    assert pinned.versions == {"mine": "1.1"}
    assert client.uv_install(url, "mine").ok().versions == {"mine": "1.0"}
    client.uv_install(url, "mine==1.1").ok().says("yanked", "eats data")

    done = yank("--undo", "root/public", "mine==1.1")
    assert (done.returncode, done.stdout) == (0, "1 file of mine 1.1 unyanked\n"), done.stderr
    assert client.pip_install(url, "mine").ok().versions == {"mine": "1.1"}


def test_single_files_are_yanked(larder, yank):
    files = wheel("mine", "1.0"), sdist("mine", "1.0")
    for dist in files:
        assert larder.upload("root/public", dist).status_code == 200
    assert yank("root/public", "mine==1.0", files[1].filename).returncode == 0
    page = larder.page("root/public", "mine")
    yanked = {file["filename"]: file.get("yanked") for file in page["files"]}
    assert yanked == {files[0].filename: None, files[1].filename: True}


def test_what_cannot_be_yanked_is_said_in_one_line(larder, yank, tmp_path):
    missing = yank("root/public", "nothing==1.0")
    assert missing.returncode == 1
    assert missing.stderr == "fatal: 404: no files of nothing 1.0 on stage root/public\n"
    assert yank("root/public", "nothing").stderr.startswith("fatal: 'nothing' is no release")
    assert yank("public", "mine==1.0").stderr.startswith("fatal: 'public' is no index")
    assert yank("--reason", "x", "--undo", "root/public", "mine==1.0").returncode == 2
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    refused = yank("root/public", "mine==1.0", password_file=wrong)
    assert refused.stderr.startswith("fatal: 401: the credentials were rejected")
    assert yank("--help").stdout.startswith("Yank a release")
