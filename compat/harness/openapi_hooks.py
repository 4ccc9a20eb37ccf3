"""Loaded by schemathesis in its own process: what a run must not do, or it would ask the rest in vain."""

import os

import schemathesis

CALLER = os.environ["LARDER_OPENAPI_CALLER"]


@schemathesis.hook
def filter_case(context, case):
    """The caller and the password stay, the indexes stay, and what is on `owner/stage`."""
    path, parts, method = case.operation.path, case.path_parameters or {}, case.method.upper()
    index = (parts.get("user"), parts.get("index"))
    if path == "/{user}":
        return parts.get("user") not in (CALLER, "owner") or method not in ("PATCH", "DELETE")
    if path == "/{user}/{index}":
        return method != "DELETE" or index not in (("owner", "stage"), ("owner", "target"))
    return method != "DELETE" or "+yank" in path or index != ("owner", "stage")
