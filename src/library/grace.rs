//! Files that vanished a moment ago. Tools replace a file by removing it first, so its rules stay
//! until it has been gone for two seconds.

use std::collections::BTreeMap;

use crate::domain::time::{Span, Timestamp};
use crate::rulebook::Sources;
use crate::rulebook::compile::folders;
use crate::rulebook::workspace::FILE;

/// How long a file must be gone to count as deleted.
const GONE_FOR_GOOD: Span = Span::from_seconds(2);

/// Since when each file of the rulebook in force is missing.
#[derive(Default)]
pub(crate) struct Grace {
    missing: BTreeMap<String, Timestamp>,
}

impl Grace {
    /// Puts back into `found` what `in_force` has of files that vanished less than two seconds
    /// ago, and says how long until the first of them counts as deleted; `None` when nothing was
    /// put back. A file whose folder the workspace no longer names was not deleted, but let go.
    pub(crate) fn complete(
        &mut self,
        found: &mut Sources,
        in_force: &Sources,
        now: Timestamp,
    ) -> Option<Span> {
        self.missing.retain(|path, _| !found.files.contains_key(path));
        // First the workspace's own file: it names the folders of the others.
        let own = in_force.files.get_key_value(FILE).into_iter();
        let own = self.put_back(own, found, now);
        let named = folders(found);
        let of_named = in_force.files.iter().filter(|(path, _)| named.contains(folder_of(path)));
        own.into_iter().chain(self.put_back(of_named, found, now)).min()
    }

    fn put_back<'s>(
        &mut self,
        in_force: impl Iterator<Item = (&'s String, &'s Vec<u8>)>,
        found: &mut Sources,
        now: Timestamp,
    ) -> Option<Span> {
        let mut first = None;
        for (path, bytes) in in_force {
            if found.files.contains_key(path) {
                continue;
            }
            let since = self.missing.entry(path.clone()).or_insert(now);
            // A clock that was set back must not keep a deleted file for ever.
            *since = now.min(*since);
            let left = since.plus(GONE_FOR_GOOD).since(now);
            if !left.is_zero() {
                found.files.insert(path.clone(), bytes.clone());
                first = Some(first.map_or(left, |first: Span| first.min(left)));
            }
        }
        first
    }
}

/// `rules/` of `rules/a.yaml`; empty for a file of the root.
fn folder_of(path: &str) -> &str {
    path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: (&str, &str) = ("docent.yaml", "products:\n  acme: {}\n");

    fn sources(files: &[(&str, &str)]) -> Sources {
        let files = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
        Sources { files }
    }

    /// What counts as there when only `found` is, at each of these milliseconds.
    fn seen(found: &[(&str, &str)], at: &[i64]) -> Vec<(Vec<String>, Option<i64>)> {
        let in_force = sources(&[
            WORKSPACE,
            ("rules/a.yaml", "a"),
            ("prompts/p.md", "p"),
            ("rules/b.yaml", "b"),
        ]);
        let mut grace = Grace::default();
        at.iter()
            .map(|millis| {
                let mut found = sources(found);
                let left = grace.complete(&mut found, &in_force, Timestamp::from_millis(*millis));
                (found.files.into_keys().collect(), left.map(Span::as_millis))
            })
            .collect()
    }

    #[test]
    fn a_missing_file_is_kept_for_two_seconds() {
        let found = [WORKSPACE, ("prompts/p.md", "p"), ("rules/b.yaml", "b")];
        let all =
            || ["docent.yaml", "prompts/p.md", "rules/a.yaml", "rules/b.yaml"].map(str::to_owned);
        let rest = || ["docent.yaml", "prompts/p.md", "rules/b.yaml"].map(str::to_owned);
        assert_eq!(
            seen(&found, &[0, 500, 1_999, 2_000, 9_000]),
            [
                (all().to_vec(), Some(2_000)),
                (all().to_vec(), Some(1_500)),
                (all().to_vec(), Some(1)),
                (rest().to_vec(), None),
                (rest().to_vec(), None),
            ]
        );
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_a_file_for_ever() {
        let left: Vec<_> = seen(&[WORKSPACE], &[100_000, 0, 1_999, 2_000])
            .into_iter()
            .map(|(_, left)| left)
            .collect();
        assert_eq!(left, [Some(2_000), Some(2_000), Some(1), None]);
    }

    #[test]
    fn without_its_own_file_the_whole_workspace_is_kept() {
        let [(files, left)] = &seen(&[], &[0])[..] else { panic!("one time, one answer") };
        assert_eq!((files.len(), *left), (4, Some(2_000)));
    }

    #[test]
    fn a_folder_that_is_no_longer_named_is_let_go_at_once() {
        let moved = ("docent.yaml", "products:\n  acme: { rules: new/ }\n");
        let found = [moved, ("new/a.yaml", "a"), ("prompts/p.md", "p")];
        let expected = ["docent.yaml", "new/a.yaml", "prompts/p.md"].map(str::to_owned).to_vec();
        assert_eq!(seen(&found, &[0]), [(expected, None)]);
    }
}
