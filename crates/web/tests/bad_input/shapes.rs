//! JSON that fits nowhere, and the bodies it is put into: each key of each
//! body that Larder reads, filled with each of the values.

use crate::common::Ask;
use crate::world::World;

/// A request that takes JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) what: &'static str,
    pub(crate) method: &'static str,
    /// `FILE` stands for the path of a file.
    pub(crate) path: &'static str,
    /// Members that are right, so that the one in question is looked at.
    pub(crate) base: &'static str,
    /// The keys it knows, and some that it should not.
    pub(crate) keys: &'static [&'static str],
}

/// Keys that mean something to frameworks and to nobody else.
const FOREIGN: [&str; 5] = ["", "self", "__proto__", "\\u0000", "\\ud800"];

const USER: &[&str] = &[
    "password",
    "email",
    "title",
    "description",
    "custom_data",
    "username",
    "indexes",
    "pwhash",
    "pwsalt",
    "created",
    "groups",
];
const STAGE: &[&str] = &[
    "type",
    "volatile",
    "title",
    "description",
    "custom_data",
    "acl_read",
    "acl_upload",
    "acl_toxresult_upload",
    "bases",
    "mirror_whitelist",
    "mirror_whitelist_inheritance",
    "projects",
    "pypi_whitelist",
    "result",
    "mirror_url",
];
const MIRROR: &[&str] = &[
    "type",
    "volatile",
    "title",
    "acl_read",
    "bases",
    "mirror_url",
    "mirror_cache_expiry",
    "mirror_web_url_fmt",
    "mirror_use_external_urls",
    "mirror_no_project_list",
    "mirror_provides_core_metadata",
    "mirror_ignore_serial_header",
    "mirror_whitelist",
];

const PUSH: &[&str] = &[
    "name",
    "version",
    "targetindex",
    "posturl",
    "username",
    "password",
    "register_project",
    "no_docs",
    "only_docs",
    "more",
];

/// Every body that is read as JSON.
pub(crate) const ENDPOINTS: [Endpoint; 11] = [
    Endpoint {
        what: "login",
        method: "POST",
        path: "/+login",
        base: r#""user":"bob","password":"bob""#,
        keys: &["user", "password", "more"],
    },
    Endpoint {
        what: "a new user",
        method: "PUT",
        path: "/carol",
        base: r#""password":"x""#,
        keys: USER,
    },
    Endpoint {
        what: "a change of a user",
        method: "PATCH",
        path: "/bob",
        base: "",
        keys: USER,
    },
    Endpoint {
        what: "a new index",
        method: "PUT",
        path: "/bob/new",
        base: "",
        keys: STAGE,
    },
    Endpoint {
        what: "a new mirror",
        method: "PUT",
        path: "/bob/mirror",
        base: r#""type":"mirror","mirror_url":"https://example.com/simple/""#,
        keys: MIRROR,
    },
    Endpoint {
        what: "a change of an index",
        method: "PATCH",
        path: "/bob/dev",
        base: "",
        keys: STAGE,
    },
    Endpoint {
        what: "a change of a mirror",
        method: "PATCH",
        path: "/root/pypi",
        base: "",
        keys: MIRROR,
    },
    Endpoint {
        what: "a yank",
        method: "PUT",
        path: "/alice/dev/demo/1.0/+yank",
        base: "",
        keys: &["reason", "more"],
    },
    Endpoint {
        what: "a test result",
        method: "POST",
        path: "FILE",
        base: "",
        keys: &["testenvs", "host"],
    },
    Endpoint {
        what: "a push",
        method: "PUSH",
        path: "/alice/dev",
        base: r#""name":"demo","version":"1.0","targetindex":"bob/dev""#,
        keys: PUSH,
    },
    Endpoint {
        what: "a push elsewhere",
        method: "POST",
        path: "/alice/dev",
        base: r#""name":"demo","version":"9.9","posturl":"https://index.example.com/","username":"u","password":"p""#,
        keys: PUSH,
    },
];

impl Endpoint {
    /// Each of its keys with every value, each foreign one with a few.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'static str, String)> {
        let own = self.keys.iter().copied();
        let own = own.flat_map(|key| values().into_iter().map(move |value| (key, value)));
        let few = ["null", "\"x\"", "[]", "{}", "1e400"].map(str::to_owned);
        let foreign = FOREIGN
            .into_iter()
            .flat_map(move |key| few.clone().into_iter().map(move |value| (key, value)));
        own.chain(foreign)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().copied().chain(FOREIGN)
    }

    /// Asked by root, who may, with these bytes.
    pub(crate) fn ask<'a>(&self, world: &'a World, body: impl Into<bytes::Bytes>) -> Ask<'a> {
        let path = if self.path == "FILE" {
            &world.file
        } else {
            self.path
        };
        world.by_root(self.method, path).with_json(body)
    }

    /// The body with one key more, as text: it need not be JSON.
    pub(crate) fn body(&self, key: &str, value: &str) -> String {
        let comma = if self.base.is_empty() { "" } else { "," };
        format!("{{{}{comma}\"{key}\":{value}}}", self.base)
    }

    /// Takes back what a request made, so that the next one finds the same.
    pub(crate) async fn undo(&self, world: &World) {
        if self.method == "PUT" && !self.path.ends_with("+yank") {
            world
                .answer("undo", world.by_root("DELETE", self.path))
                .await;
        }
    }
}

/// Values as text, a few of them no JSON at all.
pub(crate) fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "1",
        "1.5",
        "1e308",
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "01",
        "0x1",
        "99999999999999999999999999",
        "-9223372036854775809",
        "0.00000000000000000000000000000000000000001",
        r#""""#,
        r#"" ""#,
        r#""\u0000""#,
        r#""a\u0000b""#,
        r#""\ud800""#,
        r#""\udfff\ud800""#,
        r#""\u202e""#,
        r#""\r\nX: y""#,
        r#""\u001b[31m""#,
        r#""../../x""#,
        r#""<script>alert(1)</script>""#,
        r#""$argon2id$v=19""#,
        r#""{name.__class__}""#,
        r#""http://[::1]:1/""#,
        r#""file:///etc/passwd""#,
        r#""root""#,
        r#"":ANONYMOUS:""#,
        r#""\x41""#,
        "\"a\nb\"",
        "'x'",
        "[]",
        "[null]",
        "[1]",
        "[true]",
        r#"[""]"#,
        r#"["\u0000"]"#,
        "[[]]",
        "[{}]",
        r#"["a/b/c"]"#,
        "{}",
        r#"{"a":1}"#,
        r#"{"a":{"b":[1]}}"#,
        r#"{"":null}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"result":{}}"#,
        "",
        ",",
        "]",
        "1,",
        "/**/1",
        "undefined",
        "{",
    ]
    .map(str::to_owned)
    .into();
    values.push(format!("{}{}", "[".repeat(120), "]".repeat(120)));
    values.push(format!("{}{}", "[".repeat(5000), "]".repeat(5000)));
    values.push(format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000)));
    values.push("[".repeat(50_000));
    values.push(format!("\"{}\"", "x".repeat(20_000)));
    values.push(format!("[{}0]", "0,".repeat(2_000)));
    values.push(format!("[{}\"\"]", "\"a/b\",".repeat(500)));
    values.push("9".repeat(100_000));
    values
}

/// Whole bodies that are no object with keys.
pub(crate) fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = values().into_iter().map(String::into_bytes).collect();
    let long_key = format!("{{\"{}\":1}}", "k".repeat(900_000));
    let many_keys: String = (0..50_000).map(|i| format!("\"k{i}\":0,")).collect();
    bodies.extend([
        b"{\"\xff\":1}".to_vec(),
        b"{\"a\":\"\xed\xa0\x80\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"\0".to_vec(),
        b"{}\0".to_vec(),
        b"{}{}".to_vec(),
        b"{\"a\":1,}".to_vec(),
        b"{a:1}".to_vec(),
        "{}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        long_key.into_bytes(),
        format!("{{{many_keys}\"z\":0}}").into_bytes(),
        vec![b' '; 1 << 20],
    ]);
    bodies
}
