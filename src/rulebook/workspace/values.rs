//! The small languages of `docent.yaml`: addresses, sizes, rates, origins, folders and keys.

use url::{Host, Url};

use crate::domain::time::Span;
use crate::rulebook::reader::{Findings, one_or_several, text, typed, words, wrong_type};
use crate::rulebook::settings::{Rate, Secret};
use crate::rulebook::yaml::{Node, Value};

/// `20%`: a whole number of percent.
pub(super) fn percent(node: &Node, findings: &mut Findings<'_>) -> Option<u8> {
    let text = match typed(node) {
        Value::Str(text) => text,
        Value::Int(number) => number.to_string(),
        _ => node.written(findings.source()).to_owned(),
    };
    let number = text.trim().strip_suffix('%').map(str::trim_end).and_then(|n| n.parse().ok());
    if let Some(number) = number.filter(|number| *number <= 100) {
        return Some(number);
    }
    let help = match text.trim().parse::<u8>() {
        Ok(number) if number <= 100 => format!("write `{number}%`"),
        _ => "write for example `20%`, up to `100%`".to_owned(),
    };
    findings.error(node, "bad-percent", format!("`{text}` is no share"), Some(help));
    None
}

/// `host:port`.
pub(super) fn address(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    let good = written.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
        plain && Host::parse(host).is_ok() && port.parse::<u16>().is_ok()
    });
    if good {
        return Some(written.to_owned());
    }
    let help = "write host and port, `127.0.0.1:8080` or `[::1]:8080`".to_owned();
    let message = format!("`{written}` is no address to listen on");
    findings.error(node, "bad-address", message, Some(help));
    None
}

/// `4GiB`, or a bare number of bytes.
pub(super) fn size(node: &Node, findings: &mut Findings<'_>) -> Option<u64> {
    let bytes = match typed(node) {
        Value::Int(bytes) => u64::try_from(bytes).ok(),
        Value::Str(text) => parse_size(&text),
        _ => None,
    };
    if bytes.is_none_or(|bytes| bytes == 0) {
        let message = format!("`{}` is no size", node.written(findings.source()));
        findings.error(
            node,
            "bad-size",
            message,
            Some("write for example `512MiB` or `4GiB`".into()),
        );
        return None;
    }
    bytes
}

fn parse_size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 8] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.trim().parse::<u64>().ok()?.checked_mul(*unit)
}

/// `5/s`, `300/m` or `1000/h`.
pub(super) fn rate(node: &Node, findings: &mut Findings<'_>) -> Option<Rate> {
    let written = text(node, findings)?;
    let parsed = written.split_once('/').and_then(|(requests, unit)| {
        let per = Span::from_seconds(match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return None,
        });
        let requests = requests.trim().parse().ok().filter(|requests| *requests > 0)?;
        Some(Rate { requests, per })
    });
    if parsed.is_none() {
        let help = "write for example `5/s`, `300/m` or `1000/h`".to_owned();
        findings.error(node, "bad-rate", format!("`{written}` is no rate"), Some(help));
    }
    parsed
}

/// Origins a browser may call from: one or several, or `*`.
pub(super) fn origins(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    each(node, findings, |item, findings| {
        let written = words(item, findings)?;
        let meant = (written != "*").then(|| Url::parse(written).map(|url| url.origin()));
        let meant = match meant {
            None => return Some(written.to_owned()),
            Some(origin) => origin.ok().filter(|origin| origin.is_tuple()),
        };
        let meant = meant.map(|origin| origin.ascii_serialization());
        if meant.as_deref() == Some(written) {
            return meant;
        }
        let help = match &meant {
            Some(origin) => format!("write `{origin}`"),
            None => "write scheme and host, `https://app.example.com`".to_owned(),
        };
        findings.error(item, "bad-origin", format!("`{written}` is no origin"), Some(help));
        let same = |meant: &&String| meant.eq_ignore_ascii_case(written.trim_end_matches('/'));
        if let Some(meant) = meant.as_ref().filter(same) {
            findings.repair(written, meant);
        }
        None
    })
}

/// Addresses or blocks of addresses, one or several.
pub(super) fn proxies(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    each(node, findings, |item, findings| {
        let written = words(item, findings)?;
        let (host, bits) = written.split_once('/').map_or((written, None), |(h, b)| (h, Some(b)));
        let most = if host.contains(':') { 128 } else { 32 };
        let bracketed = format!("[{host}]");
        let known = match most {
            128 => Host::parse(&bracketed).is_ok(),
            _ => host.matches('.').count() == 3 && matches!(Host::parse(host), Ok(Host::Ipv4(_))),
        };
        let narrow = bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= most));
        if known && narrow {
            return Some(written.to_owned());
        }
        let help = "write `10.0.0.1`, `10.0.0.0/8` or `fd00::/8`".to_owned();
        findings.error(item, "bad-proxy", format!("`{written}` is no address"), Some(help));
        None
    })
}

/// A folder of the workspace, ending in `/`.
pub(super) fn folder(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    let outside = written.starts_with('/')
        || written.contains('\\')
        || written.split('/').any(|part| part == "..");
    if outside {
        let help = "write a folder of the workspace, `rules/`".to_owned();
        let message = format!("`{written}` is not inside the workspace");
        findings.error(node, "bad-folder", message, Some(help));
        return None;
    }
    let parts: Vec<&str> = written.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    Some(if parts.is_empty() { String::new() } else { format!("{}/", parts.join("/")) })
}

/// One key or several; an empty one would let everybody in.
pub(super) fn secrets(node: &Node, findings: &mut Findings<'_>) -> Option<Vec<Secret>> {
    each(node, findings, secret)
}

/// A key that is not empty.
pub(super) fn secret(node: &Node, findings: &mut Findings<'_>) -> Option<Secret> {
    let blank = node.as_str().is_some_and(|text| text.trim().is_empty());
    if blank || node.value == Value::Null {
        let help = "remove it, or give the variable a value".to_owned();
        findings.error(node, "empty-key", "this key is empty", Some(help));
        return None;
    }
    text(node, findings).map(|key| Secret(key.trim().into()))
}

/// `http://…` or `https://…`.
pub(super) fn web_address(node: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let written = words(node, findings)?;
    let known = Url::parse(written).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !known {
        let help = "write `https://…`".to_owned();
        findings.error(node, "bad-url", format!("`{written}` is no web address"), Some(help));
    }
    known.then(|| written.to_owned())
}

/// Reads the one value or each of the list; what is wrong is left out.
fn each<T>(
    node: &Node,
    findings: &mut Findings<'_>,
    read: impl Fn(&Node, &mut Findings<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    if matches!(node.value, Value::Map(_)) {
        wrong_type(node, "a text or a list of texts", None, findings);
        return None;
    }
    Some(one_or_several(node).iter().filter_map(|item| read(item, findings)).collect())
}
