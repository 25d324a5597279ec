//! Access: may this request be here, and as whose? One pure function over plain values
//! (DESIGN.md, section 10), so that a table can cover every route, key, address and origin.

use std::sync::Arc;

use http::StatusCode;

use crate::domain::action::Trust;
use crate::http::keys::{Authorization, Credentials, KeyClass, Owner, is_among, is_of, owners};
use crate::http::origin::{Address, is_allowed, is_loopback_host};
use crate::rulebook::settings::{ProductSettings, Secret, Settings};

/// Who a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteClass {
    /// A product's front end: polls, agent state, tours.
    FrontEnd,
    /// A product's chatbot: retrieval, replies.
    Chatbot,
    /// Operators: `/admin`, `/metrics`, `/__clock`.
    Operator,
    /// `/events`: a signed push, or a browser.
    Events,
    /// `/webhook`: signed, or nothing.
    Webhook,
    /// Tells nothing of anybody: health, the API's description.
    Open,
}

/// What the header of a push says of its body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// It is not signed.
    #[default]
    Absent,
    /// By one of the product's webhook keys.
    Good,
    /// By nobody we know.
    Bad,
}

/// A request, as far as access goes.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Who the route is for.
    pub class: RouteClass,
    /// The product in the route.
    pub named: Option<&'a str>,
    /// The product of `/p/{product}`.
    pub prefixed: Option<&'a str>,
    /// Every key it carries.
    pub credentials: &'a Credentials<'a>,
    /// Of its body.
    pub signature: Signature,
    /// The page it comes from, if a browser says so.
    pub origin: Option<&'a str>,
    /// Whom it says it asks.
    pub host: Option<&'a str>,
    /// Whom the listener can be reached by.
    pub address: Address,
}

/// Why a request may be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It carries a key of this class.
    Key(KeyClass),
    /// Its body is signed.
    Signature,
    /// It comes from an allowed page.
    Origin,
    /// Its class has no keys, and that is enough here.
    Keyless,
    /// The route is open to everyone.
    Open,
}

/// A request that may be here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The product it is about; always there but on operators' and open routes.
    pub product: Option<Arc<str>>,
    /// Why.
    pub grant: Grant,
    /// How far activity that it brings is believed.
    pub trust: Trust,
}

/// Why a request may not be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody of that name lives here.
    #[error("Unknown product")]
    UnknownProduct,
    /// Several products, and nothing says which.
    #[error(
        "several products live here: name one with /p/<product> before the route, or send its secret key"
    )]
    NoProduct,
    /// Route and prefix disagree.
    #[error("the route and its prefix /p/<product> name different products")]
    TwoProducts,
    /// No key, where one is demanded.
    #[error("this route needs a key")]
    NoKey,
    /// A header that holds no key.
    #[error("the authorization header is neither `Bearer <key>` nor `Basic <user:key>`")]
    Malformed,
    /// A key of nobody.
    #[error("the key is not known")]
    UnknownKey,
    /// A push signed by nobody we know.
    #[error("the signature does not match the body")]
    BadSignature,
    /// A key that is not for this kind of route.
    #[error("the key is of another class than this route takes")]
    WrongClass,
    /// Another product's key.
    #[error("the key belongs to another product")]
    WrongProduct,
    /// A page that is not allowed.
    #[error("the origin is not among the product's allowed_origins")]
    Origin,
    /// A name that is not this machine.
    #[error("without keys docent answers this machine alone: the host must be localhost")]
    Host,
}

impl Denied {
    /// What it is on the wire.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::UnknownProduct => StatusCode::NOT_FOUND,
            Self::NoProduct | Self::TwoProducts => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoKey | Self::Malformed | Self::UnknownKey | Self::BadSignature => {
                StatusCode::UNAUTHORIZED
            }
            Self::WrongClass | Self::WrongProduct | Self::Origin | Self::Host => {
                StatusCode::FORBIDDEN
            }
        }
    }
}

/// Whether the request may be here.
pub fn access(settings: &Settings, ask: &Ask<'_>) -> Result<Access, Denied> {
    let named = named(settings, ask)?;
    match ask.class {
        RouteClass::Open => open(settings, ask),
        RouteClass::Operator => operator(settings, ask, named),
        RouteClass::Chatbot => chatbot(settings, ask, named),
        RouteClass::FrontEnd => front_end(settings, ask, one(settings, named)?),
        RouteClass::Events => events(settings, ask, one(settings, named)?),
        RouteClass::Webhook => webhook(ask, one(settings, named)?),
    }
}

type Named<'s> = (&'s Arc<str>, &'s ProductSettings);

/// The product that the address names, if it names one.
fn named<'s>(settings: &'s Settings, ask: &Ask<'_>) -> Result<Option<Named<'s>>, Denied> {
    let name = match (ask.named, ask.prefixed) {
        (Some(named), Some(prefixed)) if named != prefixed => return Err(Denied::TwoProducts),
        (named, prefixed) => named.or(prefixed),
    };
    let find = |name| settings.products.get_key_value(name).ok_or(Denied::UnknownProduct);
    name.map(find).transpose()
}

/// The named product, else the only one.
fn one<'s>(settings: &'s Settings, named: Option<Named<'s>>) -> Result<Named<'s>, Denied> {
    let only = || settings.products.iter().next().filter(|_| settings.products.len() == 1);
    named.or_else(only).ok_or(Denied::NoProduct)
}

fn open(settings: &Settings, ask: &Ask<'_>) -> Result<Access, Denied> {
    if ask.address == Address::Loopback && has_no_keys(settings) {
        local_host(ask)?;
    }
    Ok(Access { product: None, grant: Grant::Open, trust: Trust::Browser })
}

fn front_end(
    settings: &Settings,
    ask: &Ask<'_>,
    (id, product): Named<'_>,
) -> Result<Access, Denied> {
    let grant = match key(settings, ask, id, KeyClass::Publishable)? {
        Some(class) => Grant::Key(class),
        None if !product.keys.publishable.is_empty() => return Err(unknown(ask)),
        None if ask.address == Address::Public && product.allowed_origins.is_empty() => {
            return Err(Denied::NoKey);
        }
        None => keyless(ask)?,
    };
    allowed_origin(ask, &product.allowed_origins)?;
    Ok(Access { product: Some(Arc::clone(id)), grant, trust: Trust::Browser })
}

fn chatbot(settings: &Settings, ask: &Ask<'_>, named: Option<Named<'_>>) -> Result<Access, Denied> {
    if named.is_none()
        && let Some(owner) = secret_owner(settings, ask)
    {
        return Ok(by_key(owner, KeyClass::Secret));
    }
    let Ok((id, product)) = one(settings, named) else {
        let keyed = settings.products.values().any(|product| !product.keys.secret.is_empty());
        let closed = keyed || ask.address == Address::Public;
        return Err(if closed { stranger(settings, ask) } else { Denied::NoProduct });
    };
    if let Some(class) = key(settings, ask, id, KeyClass::Secret)? {
        return Ok(by_key(id, class));
    }
    closed_unless_keyless(ask, &product.keys.secret)?;
    allowed_origin(ask, &product.allowed_origins)?;
    Ok(Access { product: Some(Arc::clone(id)), grant: keyless(ask)?, trust: Trust::Trusted })
}

/// An operator's token opens everything; a product's secret key opens what is about that product.
fn operator(
    settings: &Settings,
    ask: &Ask<'_>,
    named: Option<Named<'_>>,
) -> Result<Access, Denied> {
    let product = named.map(|(id, _)| Arc::clone(id));
    let tokens = &settings.admin.tokens;
    if ask.credentials.sent().any(|key| is_among(tokens, key)) {
        let grant = Grant::Key(KeyClass::Admin);
        return Ok(Access { product, grant, trust: Trust::Trusted });
    }
    match one(settings, named) {
        Ok((id, _)) => {
            if let Some(class) = key(settings, ask, id, KeyClass::Secret)? {
                return Ok(by_key(id, class));
            }
        }
        Err(_) if secret_owner(settings, ask).is_some() => return Err(Denied::WrongProduct),
        Err(_) if stranger(settings, ask) == Denied::WrongClass => return Err(Denied::WrongClass),
        Err(_) => {}
    }
    closed_unless_keyless(ask, tokens)?;
    allowed_origin(ask, &[])?;
    Ok(Access { product, grant: keyless(ask)?, trust: Trust::Trusted })
}

fn events(settings: &Settings, ask: &Ask<'_>, (id, product): Named<'_>) -> Result<Access, Denied> {
    let access = |grant, trust| Ok(Access { product: Some(Arc::clone(id)), grant, trust });
    let unsigned_here = ask.address == Address::Loopback && product.keys.webhook.is_empty();
    match ask.signature {
        Signature::Good => return access(Grant::Signature, Trust::Trusted),
        Signature::Bad if !unsigned_here => return Err(Denied::BadSignature),
        Signature::Bad | Signature::Absent => {}
    }
    if let Some(class) = key(settings, ask, id, KeyClass::Publishable)? {
        allowed_origin(ask, &product.allowed_origins)?;
        return access(Grant::Key(class), Trust::Browser);
    }
    if !product.keys.publishable.is_empty() && ask.credentials.all().next().is_some() {
        return Err(Denied::UnknownKey);
    }
    allowed_origin(ask, &product.allowed_origins)?;
    match ask.origin {
        _ if unsigned_here => {
            let trust = if ask.origin.is_some() { Trust::Browser } else { Trust::Trusted };
            access(keyless(ask)?, trust)
        }
        Some(_) => access(Grant::Origin, Trust::Browser),
        None => Err(unknown(ask)),
    }
}

fn webhook(ask: &Ask<'_>, (id, product): Named<'_>) -> Result<Access, Denied> {
    let grant = match ask.signature {
        Signature::Good => Grant::Signature,
        _ if ask.address == Address::Loopback && product.keys.webhook.is_empty() => {
            allowed_origin(ask, &product.allowed_origins)?;
            keyless(ask)?
        }
        Signature::Bad => return Err(Denied::BadSignature),
        Signature::Absent => return Err(Denied::NoKey),
    };
    Ok(Access { product: Some(Arc::clone(id)), grant, trust: Trust::Trusted })
}

fn by_key(product: &Arc<str>, class: KeyClass) -> Access {
    Access { product: Some(Arc::clone(product)), grant: Grant::Key(class), trust: Trust::Trusted }
}

/// Looks for a key of this product and class. A key that is somebody else's is refused even where
/// none is needed: it was not meant to be here.
fn key(
    settings: &Settings,
    ask: &Ask<'_>,
    product: &Arc<str>,
    class: KeyClass,
) -> Result<Option<KeyClass>, Denied> {
    let fits = |presented: &str| is_of(settings, product, class, presented);
    let in_query = ask.credentials.query.as_deref().filter(|_| class == KeyClass::Publishable);
    if ask.credentials.sent().chain(in_query).any(fits) {
        return Ok(Some(class));
    }
    let wanted = Owner { class, product: Some(product) };
    let found = |presented| owners(settings, presented).first().copied();
    match ask.credentials.all().find_map(found) {
        Some(owner) if owner.class == class && owner != wanted => Err(Denied::WrongProduct),
        Some(owner) if owner.class != class => Err(Denied::WrongClass),
        _ => Ok(None),
    }
}

fn secret_owner<'s>(settings: &'s Settings, ask: &Ask<'_>) -> Option<&'s Arc<str>> {
    let mut found = ask.credentials.sent().flat_map(|key| owners(settings, key));
    found.find(|owner| owner.class == KeyClass::Secret)?.product
}

/// Why a request without a fitting key is turned away.
fn unknown(ask: &Ask<'_>) -> Denied {
    match (ask.credentials.all().next(), &ask.credentials.header) {
        (Some(_), _) => Denied::UnknownKey,
        (None, Authorization::Malformed) => Denied::Malformed,
        (None, _) => Denied::NoKey,
    }
}

/// The same where no product is known to look for: somebody's key is of the wrong class.
fn stranger(settings: &Settings, ask: &Ask<'_>) -> Denied {
    let known = ask.credentials.all().any(|key| !owners(settings, key).is_empty());
    if known { Denied::WrongClass } else { unknown(ask) }
}

/// Chatbots' and operators' routes: open only on loopback, and there only while nobody has a key.
fn closed_unless_keyless(ask: &Ask<'_>, keys: &[Secret]) -> Result<(), Denied> {
    let open = keys.is_empty() && ask.address == Address::Loopback;
    if open { Ok(()) } else { Err(unknown(ask)) }
}

fn keyless(ask: &Ask<'_>) -> Result<Grant, Denied> {
    if ask.address == Address::Loopback {
        local_host(ask)?;
    }
    Ok(Grant::Keyless)
}

/// A page elsewhere can make its own name point to this machine; the browser then still says that name.
fn local_host(ask: &Ask<'_>) -> Result<(), Denied> {
    if ask.host.is_some_and(is_loopback_host) { Ok(()) } else { Err(Denied::Host) }
}

fn allowed_origin(ask: &Ask<'_>, allowed: &[String]) -> Result<(), Denied> {
    match ask.origin {
        Some(origin) if !is_allowed(allowed, origin, ask.address) => Err(Denied::Origin),
        _ => Ok(()),
    }
}

fn has_no_keys(settings: &Settings) -> bool {
    let none = |keys: &[&Vec<Secret>]| keys.iter().all(|keys| keys.is_empty());
    settings.admin.tokens.is_empty()
        && settings.products.values().map(|product| &product.keys).all(|keys| {
            none(&[&keys.publishable, &keys.secret, &keys.webhook, &keys.session_signing])
        })
}
