"""Yanked releases: installers pass over them unless they are pinned, and say why they were yanked."""

import pytest

from harness.dists import sdist, wheel

INDEX = "root/public"


@pytest.fixture
def yanked(larder):
    """`mine` 1.0, and 1.1 which is yanked."""
    for dist in (wheel("mine", "1.0"), wheel("mine", "1.1"), sdist("mine", "1.1")):
        larder.upload(INDEX, dist).raise_for_status()
    larder.json(f"/{INDEX}/mine/1.1/+yank", method="PUT", json={"reason": "eats the disk"})
    return f"{larder.url}/{INDEX}/+simple/"


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_yanked_release_is_passed_over_unless_pinned(installer, larder, yanked, new_client):
    def install(*wanted):
        return getattr(new_client(), f"{installer}_install")(yanked, *wanted)

    newest = install("mine").ok().omits("eats the disk")
    assert newest.versions == {"mine": "1.0"}
    assert install("mine>=1.1").failed()
    pinned = install("mine==1.1").ok().says("yanked", "eats the disk")
    assert pinned.versions == {"mine": "1.1"}
    # the index above shows it too
    above = getattr(new_client(), f"{installer}_install")(f"{larder.url}/app/dev/+simple/", "mine").ok()
    assert above.versions == {"mine": "1.0"}

    larder.json(f"/{INDEX}/mine/1.1/+yank", method="DELETE")
    assert install("mine").ok().omits("yanked").versions == {"mine": "1.1"}


def test_one_file_of_a_release_can_be_yanked(larder, yanked, client):
    larder.json(f"/{INDEX}/mine/1.1/+yank", method="DELETE")
    name = "mine-1.1-py3-none-any.whl"
    larder.json(f"/{INDEX}/mine/1.1/+yank/{name}", method="PUT", json={"reason": "built wrong"})
    flags = {file["filename"]: file.get("yanked", False) for file in larder.page(INDEX, "mine")["files"]}
    assert flags == {"mine-1.0-py3-none-any.whl": False, name: "built wrong", "mine-1.1.tar.gz": False}
    # an installer that takes no sources has only the older release left
    only = client.pip_install(yanked, "--only-binary", ":all:", "mine").ok()
    assert only.versions == {"mine": "1.0"}


@pytest.mark.pairs("sqlite-files")
def test_a_yank_arrives_through_a_mirror(larder, yanked, client, new_larder, new_place):
    other = new_larder(on=new_place("other"), upstream=None).start()
    other.json("/root/there", method="PUT", json={"type": "mirror", "mirror_url": yanked})
    there = f"{other.url}/root/there/+simple/"
    assert client.pip_install(there, "mine").ok().versions == {"mine": "1.0"}
    assert client.pip_install(there, "mine==1.1").ok().says("eats the disk").versions == {"mine": "1.1"}
