//! Exposure: what a public address must have before docent serves there, and what stays closed.

use crate::http::origin::Address;
use crate::rulebook::settings::Settings;

/// What is missing to serve on this address, one sentence each; empty means: serve. On loopback
/// nothing is.
pub fn exposure(settings: &Settings, listen: &str) -> Vec<String> {
    let mut missing = Vec::new();
    if Address::of_setting(listen) == Address::Public {
        for (id, product) in &settings.products {
            if product.allowed_origins.is_empty() && product.keys.publishable.is_empty() {
                missing.push(format!(
                    "product `{id}` has neither `allowed_origins` nor `keys.publishable`, so nobody could tell its front end from anyone else's on `{listen}`"
                ));
            }
        }
    }
    let admin = &settings.admin;
    let admin_is_public =
        !admin.listen.is_empty() && Address::of_setting(&admin.listen) == Address::Public;
    if admin_is_public && admin.tokens.is_empty() {
        missing.push(format!(
            "`admin.listen` is `{}`, which others can reach, and `admin.tokens` is empty",
            admin.listen
        ));
    }
    missing
}

/// Which routes nobody can use on this address, since they demand keys that are not there.
pub fn closed(settings: &Settings, listen: &str) -> Vec<String> {
    let mut closed = Vec::new();
    if Address::of_setting(listen) == Address::Loopback {
        return closed;
    }
    if settings.admin.listen.is_empty() && settings.admin.tokens.is_empty() {
        closed.push("operators' routes are closed: `admin.tokens` is empty".to_owned());
    }
    for (id, product) in &settings.products {
        if product.keys.secret.is_empty() {
            closed.push(format!(
                "chatbots' routes of product `{id}` are closed: `keys.secret` is empty"
            ));
        }
        if product.keys.webhook.is_empty() {
            closed.push(format!(
                "signed pushes to product `{id}` are refused: `keys.webhook` is empty"
            ));
        }
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::settings::{ProductSettings, Secret};

    fn settings(change: impl Fn(&mut Settings, &mut ProductSettings)) -> Settings {
        let (mut settings, mut product) = (Settings::default(), ProductSettings::default());
        change(&mut settings, &mut product);
        settings.products.insert("acme".into(), product);
        settings
    }

    #[test]
    fn a_public_address_needs_an_origin_or_a_key_for_every_front_end() {
        let bare = settings(|_, _| {});
        assert!(exposure(&bare, "127.0.0.1:8080").is_empty());
        assert!(exposure(&bare, "[::1]:8080").is_empty());
        for listen in ["0.0.0.0:8080", "[::]:8080", "10.1.2.3:80", "docent.example.com:80"] {
            let missing = exposure(&bare, listen);
            assert_eq!(missing.len(), 1, "{listen}");
            assert!(missing[0].contains("acme") && missing[0].contains("allowed_origins"));
        }
        let listed = settings(|_, product| product.allowed_origins = vec!["https://a.test".into()]);
        let keyed = settings(|_, product| product.keys.publishable = vec![Secret("pk".into())]);
        assert!(exposure(&listed, "0.0.0.0:80").is_empty());
        assert!(exposure(&keyed, "0.0.0.0:80").is_empty());
        assert_eq!(closed(&listed, "0.0.0.0:80").len(), 3);
        assert!(closed(&listed, "127.0.0.1:80").is_empty());
    }

    #[test]
    fn an_operators_address_that_others_can_reach_needs_tokens() {
        let open = settings(|settings, _| settings.admin.listen = "0.0.0.0:9090".into());
        assert_eq!(exposure(&open, "127.0.0.1:8080").len(), 1);
        let kept = settings(|settings, _| {
            settings.admin.listen = "0.0.0.0:9090".into();
            settings.admin.tokens = vec![Secret("op".into())];
        });
        assert!(exposure(&kept, "127.0.0.1:8080").is_empty());
    }
}
