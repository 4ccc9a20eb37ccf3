//! The address of PyPI, taken from the constant that uv exports, so that no
//! registry's host is written in this tree. Leaf crate: only the binary uses it.

/// PyPI's simple index, as a URL with a trailing slash.
pub fn default_index_url() -> String {
    let root = uv_distribution_types::PYPI_URL.to_string();
    format!("{}/", root.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn default_index_is_an_https_simple_root() {
        let url = super::default_index_url();
        assert!(
            url.starts_with("https://") && url.ends_with("/simple/"),
            "{url}"
        );
    }
}
