//! The environment: the one reader of its variables.

/// The value of a variable; `None` when it is unset or not UTF-8.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_variable_is_none() {
        assert_eq!(variable("DOCENT_NO_SUCH_VARIABLE"), None);
        assert!(variable("PATH").is_some_and(|path| !path.is_empty()));
    }
}
