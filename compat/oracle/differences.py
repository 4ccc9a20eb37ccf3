"""Every difference between Larder and devpi-server, in one place; `docs/devpi-differences.md` is made of it.

A row says what Larder guarantees. A row stays only as long as an exchange of `scripts/` shows it, or the test
that it names.
"""

from dataclasses import dataclass

from oracle import translate


@dataclass(frozen=True)
class Difference:
    """`translate` turns two answers into equal ones where the difference is one of form, and holds everywhere;
    where there is none, each exchange that differs names the row and says what Larder answers. `shown_by` names
    a test where no exchange can show it."""

    id: str
    section: str
    subject: str
    larder: str
    reason: str
    translate: object = None
    shown_by: str = ""


FORMS = (
    Difference(
        "pages-tell-more", "1.9, 1.10", "simple pages",
        "API 1.4: size, upload time, versions, metadata hashes", "installers ask for them", translate.plain_page,
    ),
    Difference(
        "pages-are-lists", "1.9, 1.10", "HTML pages",
        "the same for installers and for people: one link a line", "installers read them first", translate.links,
    ),
    Difference(
        "redirects-are-bare", "0.6", "redirects",
        "an address without a page", "no client reads the page", translate.bare_redirect,
    ),
    Difference(
        "own-version", "1.4", "`+status`",
        "also names Larder's own version", "two servers answer under one interface", translate.own_version,
    ),
    Difference(
        "errors-are-sentences", "0.3", "errors",
        "one sentence that says what to do, in plain text, or as `message` for who accepts JSON",
        "one form is enough", translate.sentence,
    ),
)

LOGIN = (
    Difference(
        "tokens-end", "2.2", "login tokens",
        "end when the password changes or the user is deleted", "a password is changed because somebody knows it",
    ),
    Difference(
        "stale-credentials", "2.3", "wrong credentials",
        "ignored on public reads; 401 on everything else", "the client can say what is wrong",
    ),
    Difference(
        "same-time", "2.2", "unknown user, wrong password",
        "same answer, same time", "nobody learns who has an account",
        shown_by="crates/app/src/pwhash.rs::the_dummy_costs_what_a_real_hash_costs_and_fits_nobody",
    ),
    Difference(
        "guesses", "2.2", "many wrong passwords",
        "429 with `Retry-After`; tokens go on working", "nobody tries all of them",
    ),
    Difference(
        "password-only", "2.5", "`pwhash` in a request",
        "refused: a password is set as `password`", "a hash comes from an import only",
    ),
    Difference(
        "private-emails", "1.7", "e-mail addresses",
        "shown to the user and to root", "they are nobody else's business",
    ),
    Difference(
        "root-stays", "2.6", "root",
        "cannot be deleted, whatever `--restrict-modify` says", "somebody must be able to repair",
    ),
    Difference(
        "hidden-password", "3.1, 7.1", "`mirror_url` with credentials",
        "the password is shown as `****`; it goes to the upstream's own host only", "index configurations are public",
    ),
)

REQUESTS = (
    Difference(
        "bad-input", "14", "input that cannot be used",
        "400 with a sentence, and nothing changes", "the sender can do something about it",
    ),
    Difference(
        "own-words", "0.3", "refusals",
        "name what is allowed", "so that the next try succeeds",
    ),
    Difference(
        "ascii-names", "2.5", "new names of users and indexes",
        "ASCII letters, digits, `-`, `.`, `@`, `_`, at most 100", "names are parts of addresses and paths",
    ),
    Difference(
        "json-says-so", "2.2", "JSON bodies",
        "need `Content-Type: application/json`, else 415", "no web page can send one unasked",
    ),
    Difference(
        "methods", "14", "methods that an address does not have",
        "405 with `Allow`", "the standard of HTTP",
    ),
    Difference(
        "missing-first", "1.12", "what is not there",
        "404 before any other refusal", "a missing thing is no matter of rights",
    ),
    Difference(
        "any-spelling", "0.6", "other spellings of a project, a final slash or none",
        "answered at once", "one request fewer",
    ),
    Difference(
        "list-has-an-address", "0.5", "the project list under `/{user}/{index}`",
        "302 to `+simple/`, also from `+simple`", "its links are relative",
    ),
    Difference(
        "json-for-all", "0.4", "views of users, indexes, projects and releases",
        "JSON whatever `Accept` says; the project page for who wants simple JSON",
        "there is nothing else to choose from",
    ),
    Difference(
        "formats", "0.4", "simple pages",
        "come in the format that `Accept` prefers, with its content type", "PEP 691",
    ),
    Difference(
        "no-address", "1.5", "`+authcheck` without `X-Original-URI`",
        "403", "there is nothing to look at",
    ),
    Difference(
        "trusted-proxies", "0.7, 1.5", "forwarding headers, `X-Original-URI`",
        "count only from `--trusted-proxy`", "anybody can send them",
    ),
)

INDEXES = (
    Difference(
        "bases-once", "3.1, 8.1", "an index that is a base twice, or by two ways",
        "counts once", "its files are the same",
    ),
    Difference(
        "no-self-base", "3.1", "an index as its own base",
        "refused", "it means nothing",
    ),
    Difference(
        "no-change", "3.4", "a list of operations that changes nothing",
        "200, also when a base has gone since", "nothing is written",
    ),
    Difference(
        "whole-seconds", "3.1", "numbers",
        "whole, or refused", "nothing is rounded in silence",
    ),
    Difference(
        "noop", "3.4", "`?error_on_noop`",
        "400 whenever nothing would change, for objects and for lists", "one rule",
    ),
)

UPLOADS = (
    Difference(
        "outside-login", "5.2", "pushing to another server",
        "needs a login", "the server would send requests for anybody",
    ),
    Difference(
        "outside-refusals", "5.2", "another server that refuses",
        "is believed: after 401 or 403 nothing more is sent; its words are in the list, for documentation too",
        "the next file would be refused as well",
    ),
    Difference(
        "outside-failures", "5.2", "another server that cannot be reached",
        "502 with the usual list of what was done", "the client shows it",
    ),
    Difference(
        "push-forms", "5.2", "forms pushed to another server",
        "say their `protocol_version`; documentation goes with name and version alone", "more is not read there",
        shown_by="compat/oracle/receiver.py::as_larder_sends",
    ),
    Difference(
        "digests", "4.2", "upload digests",
        "every digest sent is checked; a wrong one is 400", "the file is the one that was built",
    ),
    Difference(
        "inside-counts", "4.2, 4.4", "upload metadata",
        "what is inside the wheel or sdist counts; name and version must agree with the form and the file name",
        "pip reads what is inside",
    ),
    Difference(
        "archives", "4.3", "uploaded files",
        "are read: what is empty, broken or misnamed is refused", "nobody could install it",
    ),
    Difference(
        "no-version", "6.2", "documentation with an empty version",
        "counts as without: it is the newest release's", "a form cannot say it otherwise",
    ),
    Difference(
        "identical", "4.4", "same file again",
        "200 and nothing changes, on volatile and other indexes", "a repeated upload is no change",
    ),
    Difference(
        "dashes", "4.3", "versions with `-` in the name of a source archive",
        "are refused: the name ends at the last `-`", "installers read it so",
    ),
    Difference(
        "one-release", "4.3", "versions",
        "`1.0` and `1.0.0` are one release", "so they are for installers",
    ),
    Difference(
        "one-file", "4.4", "file names that differ in letter case or in `-`, `_`, `.`",
        "name the same file", "so they do for installers",
    ),
    Difference(
        "freed-names", "1.12", "deleted file names",
        "may be used again on a volatile index, not on others", "what was once installed under a name never changes",
    ),
)

FILES = (
    Difference(
        "validators", "0.1", "caching",
        "strong ETags on pages and files", "clients fetch less",
        shown_by="crates/web/tests/files.rs::a_condition_that_holds_is_a_304",
    ),
    Difference(
        "sidecars", "1.11", "`FILE.metadata`",
        "always there for wheels, announced with its hash", "resolving needs no download",
    ),
    Difference(
        "preferred-type", "0.4", "metadata of a file as JSON",
        "for who prefers JSON to everything else", "who accepts anything wants the file",
    ),
    Difference(
        "types-by-name", "1.11", "content types of files",
        "by the name, also the first time", "the same file has one type",
    ),
)

MIRRORS = (
    Difference(
        "upstream-failures", "7.4", "upstream away, page unknown",
        "502 or 504 with a sentence", "a build stops and does not choose another file",
    ),
    Difference(
        "one-download", "7.3", "cold files",
        "one download for all clients; a body that does not match its hash is never complete",
        "a broken file is not installed",
        shown_by="compat/test_mirror.py::test_many_clients_on_one_cold_file_cost_one_download",
    ),
    Difference(
        "mirror-lists", "1.7, 1.9", "the project list of a mirror",
        "names what is known here", "no page depends on a list of everything",
    ),
    Difference(
        "offline", "7.9", "`--offline-mode`",
        "pages show what is here, else 404; a file that is not here is 502", "every mirror is alike",
    ),
    Difference(
        "known-stays", "7.3", "a project that an upstream has",
        "is shown, however short `mirror_cache_expiry` is", "it is there",
    ),
    Difference(
        "mirror-deletes", "7.7", "deleted parts of a mirror",
        "come back from the upstream when somebody asks", "a mirror shows its upstream",
    ),
    Difference(
        "refresh", "1.13", "refresh",
        "always 302 to the page, which says what is wrong", "one place for errors",
    ),
)

# what devpi-server has nothing of
BEYOND = (
    Difference(
        "readers", "1.11", "`acl_read` of an index",
        "says who may see it, its files and its names; unset, everybody", "some packages are not for everybody",
        shown_by="crates/web/tests/private.rs::p06_listings_do_not_name_what_the_caller_may_not_read",
    ),
    Difference(
        "yanks", "14", "own releases and files",
        "can be yanked and taken back", "a lock file that names them goes on working",
        shown_by="crates/web/tests/yank.rs::a_release_is_yanked_with_a_reason_and_unyanked",
    ),
    Difference(
        "ranges", "1.11", "files",
        "come in ranges, also while they are fetched", "a broken download goes on where it stopped",
        shown_by="crates/web/tests/files.rs::ranges_work_warm_and_cold",
    ),
)

ALWAYS = (*FORMS, *LOGIN, *REQUESTS, *INDEXES, *UPLOADS, *FILES, *MIRRORS, *BEYOND)

# `larder` is what holds without --devpi-compat, `reason` what holds with it
CLOSED = (
    Difference(
        "status-closed", "1.4", "where the server runs, and its numbers, in `+status`",
        "root", "anyone",
    ),
    Difference(
        "sign-up", "2.6", "creating users",
        "root", "anyone, unless `--restrict-modify`",
    ),
    Difference(
        "tox-closed", "3.1", "test results (`acl_toxresult_upload` of new indexes)",
        "nobody", "anyone",
    ),
    Difference(
        "private-upstreams", "14", "mirrors of private and loopback addresses",
        "only if root, or someone in `--restrict-modify`, set the address", "anyone may set one",
    ),
    Difference(
        "file-types", "4.3", "file types",
        "wheels and source archives", "also eggs, installers, rpm, deb, dmg",
    ),
    Difference(
        "pep-440", "4.3", "versions",
        "PEP 440", "any text",
    ),
    Difference(
        "empty-passwords", "2.4", "empty passwords",
        "refused", "allowed",
    ),
)

DIFFERENCES = {difference.id: difference for difference in (*ALWAYS, *CLOSED)}
