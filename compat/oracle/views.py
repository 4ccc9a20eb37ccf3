"""What a server shows of everything that random operations change; equal for two servers in the same state."""

from oracle.chance import INDEXES, MIRROR
from oracle.exchange import SIMPLE_JSON

TIMES = ("created", "modified")
NAMES = ("pkg", "other-name", "far")


def views(side):
    """Users, index configurations, project lists, pages with file names and hashes, versions."""
    users = side.ask("/")["result"]
    shown = {"/": {user: without_times(config) for user, config in users.items()}}
    for index in (*INDEXES, MIRROR):
        config = side.ask(f"/{index}" + ("?no_projects=" if index == MIRROR else ""))
        if "result" not in config:
            shown[index] = "missing"
            continue
        shown[index] = config["result"]
        for project in NAMES:
            shown[f"{index} page {project}"] = page(side.ask(f"/{index}/+simple/{project}/", SIMPLE_JSON))
            shown[f"{index} versions of {project}"] = versions(side.ask(f"/{index}/{project}"))
    return shown


def without_times(config):
    return {key: value for key, value in config.items() if key not in TIMES}


def page(reply):
    if "files" not in reply:
        return "missing"
    return sorted((file["filename"], str(file["hashes"])) for file in reply["files"])


def versions(reply):
    """The files of each version, index by index; an index that is a base by two ways counts once."""
    if "result" not in reply:
        return "missing"
    shown = {}
    for version, data in reply["result"].items():
        files = [links(each) for each in (data, *data.get("+shadowing", []))]
        shown[version] = [each for place, each in enumerate(files) if each not in files[:place]]
    return shown


def links(data):
    """Index, hash and name of each file and of the documentation. Test results are left out: those of a file
    that is uploaded once more stay in Larder, by the row `identical`."""
    shown = [link["href"].split("/", 3)[3] for link in data.get("+links", []) if link["rel"] != "toxresult"]
    return sorted(shown)
