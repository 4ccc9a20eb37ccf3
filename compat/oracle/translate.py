"""How to read an answer of Larder's that differs in form: each takes both answers and gives both."""

MORE_OF_A_PAGE = {"versions", "project-status"}
MORE_OF_A_FILE = {"size", "upload-time", "core-metadata", "data-dist-info-metadata", "provenance"}


def plain_page(theirs, ours):
    """A simple JSON page without what came after API 1.0."""
    if not isinstance(ours.body, dict) or "meta" not in ours.body:
        return theirs, ours
    page = {key: value for key, value in ours.body.items() if key not in MORE_OF_A_PAGE}
    page["meta"] = {**page["meta"], "api-version": "1.0"}
    page["files"] = [
        {key: value for key, value in file.items() if key not in MORE_OF_A_FILE} for file in page.get("files", [])
    ]
    ours.body = page
    return theirs, ours
