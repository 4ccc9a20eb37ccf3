"""Random operations on users, indexes and files: the same sequence for the same seed, wherever it runs.

What is drawn keeps clear of what the table of differences says; it does not look at any answer.
"""

import random
from dataclasses import dataclass, field

from harness.dists import sdist, wheel
from oracle.exchange import Exchange, delete, form, login, patch, post, push, put, upload
from oracle.scripts.s06_docs import docs

USERS = ("alice", "bob")
INDEXES = tuple(f"{user}/{name}" for user in USERS for name in ("dev", "prod"))
MIRROR = "root/mirror"
PROJECTS = ("pkg", "Other.Name")
MIRRORED = ("pkg", "far")
VERSIONS = ("1.0", "1.1", "2.0rc1")
LISTS = ("", "pkg", "*", "pkg,other-name", "other-name")


def upstream_files():
    return [wheel("pkg", "9.0"), sdist("pkg", "1.0"), wheel("far", "1.0"), wheel("far", "2.0")]


@dataclass
class Chance:
    """Draws one operation after the other. It remembers which releases may have been deleted, since their file
    names are not free again on an index that is not volatile, and which an index may hold, since pushing the
    same files there once more is nothing to refuse."""

    seed: int
    deleted: dict = field(default_factory=lambda: {index: set() for index in INDEXES})
    held: dict = field(default_factory=lambda: {index: set() for index in INDEXES})
    final: set = field(default_factory=set)

    def __post_init__(self):
        self.draw = random.Random(self.seed)

    def start(self):
        users = [exchange for user in USERS for exchange in self._user(user)]
        mirror = {"type": "mirror", "mirror_url": "UPSTREAM", "volatile": True}
        indexes = [put(f"/{index}", {}, by=owner(index)) for index in INDEXES]
        return [*users, put(f"/{MIRROR}", mirror, by="root"), *indexes]

    def next(self):
        kinds = {
            self.upload: 30, self.push: 14, self.remove: 12, self.remove_file: 6, self.register: 3, self.document: 5,
            self.test_result: 6, self.bases: 10, self.whitelist: 8, self.volatile: 5, self.rights: 5,
            self.make_index: 8, self.drop_index: 3, self.make_user: 2, self.drop_user: 1,
        }
        return self.draw.choices(list(kinds), kinds.values())[0]()

    def _index(self):
        return self.draw.choice(INDEXES)

    def _who(self, index):
        """Mostly the owner, sometimes somebody else or nobody."""
        return self.draw.choices((owner(index), "root", self.draw.choice(USERS), None), (8, 1, 1, 1))[0]

    def _user(self, user):
        return [put(f"/{user}", {"password": user}), login(user, user)]

    def _release(self, index):
        """A project and a version whose file names are free in the index, for all that is known."""
        project, version = self.draw.choice(PROJECTS), self.draw.choice(VERSIONS)
        if index in self.final and (project, version) in self.deleted[index]:
            version = f"3.{self.draw.randrange(10**6)}"
        self.held[index].add((project, version))
        return project, version

    def _dist(self, project, version):
        other = self.draw.random() < 0.5
        if self.draw.random() < 0.5:
            return wheel(project, version, payload=b"x" if other else b"")
        return sdist(project, version, summary="two" if other else "one")

    def upload(self):
        index = self._index()
        return [upload(index, self._dist(*self._release(index)), by=self._who(index))]

    def register(self):
        index = self._index()
        project, version = self._release(index)
        return [form(index, {":action": "submit", "name": project, "version": version}, by=self._who(index))]

    def document(self):
        index = self._index()
        project, version = self._release(index)
        fields = {":action": "doc_upload", "name": project, "version": version}
        written = docs(project, version, self.draw.choice((b"one", b"two")))
        return [upload(index, written, fields=fields, by=self._who(index))]

    def test_result(self):
        index = self._index()
        dist = self._dist(self.draw.choice(PROJECTS), self.draw.choice(VERSIONS))
        return [post(address(index, dist), {"result": self.draw.randrange(3)}, by=self._who(index))]

    def remove_file(self):
        index, project, version = self._index(), self.draw.choice(PROJECTS), self.draw.choice(VERSIONS)
        if index not in self.final:
            self.deleted[index].add((project, version))
        return [delete(address(index, self._dist(project, version)), by=self._who(index))]

    def push(self):
        source = self.draw.choice((*INDEXES, MIRROR))
        target, project = self._index(), self.draw.choice(PROJECTS if source != MIRROR else MIRRORED)
        version = self.draw.choice(VERSIONS if source != MIRROR else ("9.0", "1.0", "2.0"))
        known = self.deleted[target] | self.held[target]
        if source == target or (target in self.final and (project, version) in known):
            return self.upload()
        self.held[target].add((project, version))
        return [push(source, {"name": project, "version": version, "targetindex": target}, by=self._who(target))]

    def remove(self):
        index, project = self._index(), self.draw.choice(PROJECTS)
        if index in self.final:
            return [delete(f"/{index}/{project}", by=self._who(index))]
        version = self.draw.choice(VERSIONS)
        whole = self.draw.random() < 0.2
        self.deleted[index].update((project, each) for each in (VERSIONS if whole else (version,)))
        return [delete(f"/{index}/{project}" + ("" if whole else f"/{version}"), by=self._who(index))]

    def bases(self):
        index = self._index()
        others = [each for each in (*INDEXES, MIRROR) if each != index]
        bases = self.draw.sample(others, self.draw.choice((0, 1, 1, 2, 2, 3)))
        body = {"bases": bases} if self.draw.random() < 0.6 else [f"bases={','.join(bases)}"]
        return [patch(f"/{index}", body, by=self._who(index))]

    def whitelist(self):
        index, inheritance = self._index(), self.draw.choice(("intersection", "union"))
        listed = self.draw.choice(LISTS)
        body = self.draw.choice((
            {"mirror_whitelist": listed}, {"mirror_whitelist": listed, "mirror_whitelist_inheritance": inheritance},
            ["mirror_whitelist+=pkg"], ["mirror_whitelist-=pkg"], [f"mirror_whitelist_inheritance={inheritance}"],
        ))
        return [patch(f"/{index}", body, by=self._who(index))]

    def volatile(self):
        index, wanted = self._index(), self.draw.random() < 0.6
        if not wanted:
            self.final.add(index)
        return [patch(f"/{index}", {"volatile": wanted}, by=self._who(index))]

    def rights(self):
        index = self._index()
        body = self.draw.choice((
            {"acl_upload": owner(index)}, {"acl_upload": ",".join(USERS)}, {"acl_upload": ":AUTHENTICATED:"},
            {"acl_upload": []},
            ["acl_upload+=bob"], ["acl_upload-=bob"], {"title": self.draw.choice("abc")}, ["title-="],
        ))
        return [patch(f"/{index}", body, by=self._who(index))]

    def make_index(self):
        index = self._index()
        bases = self.draw.sample([each for each in (*INDEXES, MIRROR) if each != index], self.draw.choice((0, 1, 2)))
        return [put(f"/{index}", {"bases": bases, "acl_upload": list(USERS)}, by=self._who(index))]

    def drop_index(self):
        index = self._index()
        self.deleted[index].update((project, version) for project in PROJECTS for version in VERSIONS)
        return [delete(f"/{index}", by=self._who(index))]

    def make_user(self):
        return self._user(self.draw.choice(USERS))

    def drop_user(self):
        user = self.draw.choice(USERS)
        for index in INDEXES:
            if owner(index) == user:
                self.deleted[index].update((project, version) for project in PROJECTS for version in VERSIONS)
        return [delete(f"/{user}", by=self.draw.choice((user, "root")))]


def owner(index):
    return index.partition("/")[0]


def address(index, dist):
    return f"/{index}/+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}"


def described(exchange: Exchange):
    body = exchange.json if exchange.json is not None else ""
    if exchange.files:
        filename, content, _ = exchange.files["content"]
        body = f"{filename}, {len(content)} bytes"
    return f"{exchange.title} {body}"
