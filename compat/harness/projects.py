"""Source trees of tiny projects, which clients build by themselves and without a network."""

import shutil
from pathlib import Path

BACKEND = Path(__file__).with_name("backend.py")


class Project:
    """A folder with a pyproject.toml that names a backend lying beside it."""

    def __init__(self, folder, name, version, *, needs=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True)
        shutil.copy(BACKEND, self.folder / "backend.py")
        self.write(
            "pyproject.toml",
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n\n'
            f'[project]\nname = "{name}"\nversion = "{version}"\ndescription = "Built by a test"\n'
            f"dependencies = {list(needs)!r}\n",
        )

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def append(self, name, text):
        path = self.folder / name
        path.write_text((path.read_text() if path.exists() else "") + text)

    def use_setuptools(self, name, version):
        """For the formats that only setup.py can make."""
        (self.folder / "pyproject.toml").unlink()
        self.write(
            "setup.py",
            "from setuptools import setup\n"
            f"setup(name={name!r}, version={version!r}, py_modules=['backend'])\n",
        )
