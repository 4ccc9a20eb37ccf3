"""How to read an answer that differs in form: each takes both answers and gives both, equal where only the
form differed. None of them looks at what was asked."""

import re

MORE_OF_A_PAGE = {"versions", "project-status"}
MORE_OF_A_FILE = {"size", "upload-time", "core-metadata", "data-dist-info-metadata", "provenance"}

# what devpi-server says where its framework refuses; any sentence will do instead
UNSAID = re.compile(
    r"(Access was denied to this resource|The resource could not be found|unsupported media type"
    r"|This server could not verify)[\s\S]*|Not Found|Unauthorized|Forbidden|Bad Request|\s*"
)
OBJECT = re.compile(r"<devpi_server\.[^>]*>")


def plain_page(theirs, ours):
    """Simple JSON pages: nothing that came after API 1.0, entries in any order."""
    if not all(isinstance(each.body, dict) and "meta" in each.body for each in (theirs, ours)):
        return theirs, ours
    page = {key: value for key, value in ours.body.items() if key not in MORE_OF_A_PAGE}
    page["meta"] = {**page["meta"], "api-version": "1.0"}
    if "files" in page:
        page["files"] = [
            {key: value for key, value in file.items() if key not in MORE_OF_A_FILE} for file in page["files"]
        ]
    ours.body = page
    for each in (theirs, ours):
        each.body = {key: _sorted(value) for key, value in each.body.items()}
    return theirs, ours


def _sorted(value):
    return sorted(value, key=str) if isinstance(value, list) else value


def own_version(theirs, ours):
    """The status without Larder's own version beside the one that it stands for."""
    result = ours.body.get("result") if isinstance(ours.body, dict) else None
    if isinstance(result, dict) and isinstance(result.get("versioninfo"), dict):
        versions = {name: each for name, each in result["versioninfo"].items() if name != "larder"}
        ours.body = {**ours.body, "result": {**result, "versioninfo": versions}}
    return theirs, ours


def bare_redirect(theirs, ours):
    """Redirects: where to, not the page that says so."""
    if 300 <= theirs.status < 400 and theirs.status == ours.status:
        for each in (theirs, ours):
            each.body = ""
            each.headers = {
                key: value.replace("%2B", "+") for key, value in each.headers.items() if key != "content-type"
            }
    return theirs, ours


def sentence(theirs, ours):
    """Errors: what is said, not the page or object it is said in."""
    if theirs.status != ours.status or theirs.status < 400 or not (_says(theirs) and _says(ours)):
        return theirs, ours
    said, says = _sentence(theirs), _sentence(ours)
    for each in (theirs, ours):
        each.headers = {key: value for key, value in each.headers.items() if key != "content-type"}
    theirs.reason = None
    if ours.reason is not None:
        first = says.partition("\n")[0].encode("ascii", "replace").decode()
        assert ours.reason == first, f"reason phrase {ours.reason!r}, body {says!r}"
        ours.reason = None
    if says and (UNSAID.fullmatch(said) or _matches(said, says)):
        theirs.body = ours.body = says
    else:
        theirs.body, ours.body = said, says
    return theirs, ours


def _says(answer):
    return isinstance(answer.body, str) or "message" in answer.body


def _sentence(answer):
    if isinstance(answer.body, dict):
        if re.match(r"\d{3} ", answer.body.get("code", "")) and not answer.body["message"].strip():
            return answer.body["title"]
        return answer.body.get("message", "")
    lines = [line for line in answer.body.splitlines() if line.strip() and not line.startswith("<")]
    heading = re.compile(rf"{answer.status}( .*)?")
    rest = [line for line in lines if not heading.fullmatch(line)]
    titles = [line.partition(" ")[2] for line in lines if heading.fullmatch(line)]
    return "\n".join(rest) or (titles[0] if titles else answer.reason or "")


def _matches(said, says):
    """The same words; an object's address stands for its name, and who is nobody is told to log in."""
    pattern = r"\S+".join(re.escape(part) for part in OBJECT.split(said))
    return re.fullmatch(pattern + "(: log in first)?", says)


def links(theirs, ours):
    """HTML pages: what they link to and say of it; titles, headings and buttons are for people."""
    theirs.headers = {key: value.replace("text_html", "text/html") for key, value in theirs.headers.items()}
    bodies = (theirs.body, ours.body)
    if not all(isinstance(body, str) and body.startswith("<") for body in bodies) or theirs.status != ours.status:
        return theirs, ours
    for each in (theirs, ours):
        each.body = "\n".join(sorted(_links(each.body)))
    return theirs, ours


def _links(page):
    lines = page.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("<a "):
            line = re.sub(r' data-(core-metadata|dist-info-metadata|size|upload-time)="[^"]*"', "", line)
            yield f"{line} {lines[number + 1]}"
