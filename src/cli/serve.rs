//! `docent serve`: reads the workspace, opens the store, listens, and winds down in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::check::print_for_people;
use crate::cli::kept::last_good;
use crate::cli::report::{complain, say};
use crate::cli::{Exit, LogFormat, ServeArguments};
use crate::http::exposure::{closed, exposure};
use crate::http::origin::Address;
use crate::http::serve::{Patience, serve};
use crate::http::site::Site;
use crate::journal::{Journal, Terms};
use crate::library::live::{Live, unreadable};
use crate::library::{disk, watch};
use crate::rulebook::address::is_redis;
use crate::rulebook::settings::{self, Settings};
use crate::runtime::client::HttpClient;
use crate::runtime::clock::Clock;
use crate::runtime::metrics::Metrics;
use crate::runtime::tasks::Tasks;
use crate::runtime::{client, environment, trace};
use crate::store::raw::Place;
use crate::store::{Store, StoreError};

/// One shard of the store a call, so that every shard has its turn about every half minute.
const SWEEP: Duration = Duration::from_millis(500);
/// Between two pages of the walk that takes what is past its time out of a shared store, and
/// between two walks. A page has some two hundred rows.
const SWEEP_SHARED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How often quiet clients are forgotten.
const TIDY: Duration = Duration::from_secs(60);
/// How often an instance looks for what others were told to pause: it hears of it sooner, as long as
/// it hears.
const LEARN: Duration = Duration::from_millis(400);
/// How often what the store refused is tried again.
const PAY: Duration = Duration::from_millis(500);
/// How often an instance looks for people who were erased.
const ERASED: Duration = Duration::from_secs(1);
/// How often an instance says that it is there.
const HELLO: Duration = Duration::from_secs(2);
/// Until something that the store did not take is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long tasks may take to end.
const WIND_DOWN: Duration = Duration::from_secs(5);

/// Serves until told to stop. Exits 1 when something cannot be read, bound or reached, 2 when the
/// workspace has mistakes or is not fit for its address.
pub(crate) fn run(arguments: &ServeArguments) -> Exit {
    trace::install(match arguments.log {
        LogFormat::Auto => trace::Style::Auto,
        LogFormat::Human => trace::Style::Human,
        LogFormat::Json => trace::Style::Json,
    });
    let live = match start(arguments) {
        Ok(live) => Arc::new(live),
        Err(exit) => return exit,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(serving(arguments, live)));
    match served {
        Ok(()) => Exit::Fine,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            Exit::Failed
        }
    }
}

async fn serving(arguments: &ServeArguments, live: Arc<Live>) -> Result<()> {
    let server = Server::open(arguments, live)?;
    server.app.store.reached().await?;
    server.run(arguments).await
}

/// The first rulebook, if this workspace may be served here.
fn start(arguments: &ServeArguments) -> Result<Live, Exit> {
    let live = match disk::read(&arguments.workspace) {
        Ok(sources) => {
            let live = Live::start(sources.clone(), environment::variable, Clock::wall().now());
            live.or_else(|findings| {
                print_for_people(&sources, None, &findings);
                last_good(arguments, Some(&sources), findings).ok_or(Exit::Invalid)
            })?
        }
        Err(error) => {
            complain(&format!("error: {error}"));
            last_good(arguments, None, vec![unreadable(&error)]).ok_or(Exit::Failed)?
        }
    };
    let rulebook = live.current();
    let listen = arguments.listen.as_deref().unwrap_or(&rulebook.settings.listen);
    let missing = exposure(&rulebook.settings, listen);
    missing.iter().for_each(|line| complain(&format!("error: {line}")));
    closed(&rulebook.settings, listen).iter().for_each(|line| complain(&format!("note: {line}")));
    if missing.is_empty() { Ok(live) } else { Err(Exit::Invalid) }
}

/// Everything that runs.
struct Server {
    app: Arc<App>,
    client: HttpClient,
    tasks: Tasks,
}

impl Server {
    fn open(arguments: &ServeArguments, live: Arc<Live>) -> Result<Self> {
        let settings = &live.current().settings;
        // First, because it sets up TLS for whatever connects.
        let client = client::shared().context("cannot set up the HTTP client")?;
        let setting = arguments.store.as_deref().unwrap_or(&settings.store);
        if arguments.store.is_some() && settings.wait_replicas > 0 && !is_redis(setting) {
            complain("note: `--store` names no Redis, so `wait_replicas` waits for nobody");
        }
        let store =
            Store::open_in(&arguments.workspace, setting, settings.durability, &settings.limits);
        let store = Arc::new(store?.waiting_for(settings.wait_replicas));
        let clock = if arguments.virtual_clock {
            Clock::standing_at(Clock::wall().now())
        } else {
            Clock::wall()
        };
        let journal = journal(arguments, settings, clock.clone())?;
        let (store, metrics) = (Arc::clone(&store), Arc::new(Metrics::new()));
        let app = App::new(Arc::clone(&live), store, clock, metrics).journalling(journal);
        let app = Arc::new(app);
        let tasks = app.tasks.clone();
        Ok(Self { app, client, tasks })
    }

    async fn run(self, arguments: &ServeArguments) -> Result<()> {
        let settings = self.app.live.current().settings.clone();
        let listen = arguments.listen.as_deref().unwrap_or(&settings.listen);
        let (listener, address) = bind(listen).await?;
        let apart = !settings.admin.listen.is_empty();
        let admin = if apart { Some(bind(&settings.admin.listen).await?) } else { None };
        let mut addresses = admin.iter().map(|(_, address)| *address).chain([address]);
        if arguments.virtual_clock && addresses.any(|address| !address.ip().is_loopback()) {
            bail!("--virtual-clock lets anybody move time, so it is for loopback addresses only");
        }
        self.app.introduce(&called(arguments, address), &address.to_string());
        self.look_after(arguments);
        let admin = admin.map(|(listener, address)| self.site(Site::operators, listener, address));
        let part = if apart { Site::public } else { Site::whole };
        let main = self.site(part, listener, address);
        greet(address, &settings);
        let (app, stop) = (Arc::clone(&self.app), self.tasks.stopping());
        self.tasks.spawn(async move {
            asked_to_stop().await;
            app.drain();
            stop.cancel();
        });
        match admin {
            Some(admin) => drop(tokio::join!(main, admin)),
            None => main.await,
        }
        if !self.tasks.join(WIND_DOWN).await {
            tracing::warn!("Some tasks did not end in time");
        }
        if let Err(error) = self.app.pay_all_debts().await {
            tracing::warn!(%error, "What some sessions owe is only noted in them");
        }
        if let Some(journal) = self.app.journal() {
            journal.close();
        }
        if self.app.store.is_shared()
            && let Err(error) = self.app.say_goodbye(Clock::wall().now()).await
        {
            tracing::debug!(%error, "Cannot say goodbye");
        }
        self.app.store.close().await.context("the last changes are not on disk")
    }

    /// One listener with the routes that belong there.
    fn site(
        &self,
        part: fn(Arc<App>, Address) -> Site,
        listener: TcpListener,
        address: SocketAddr,
    ) -> impl Future<Output = ()> + use<> {
        let site = Arc::new(part(Arc::clone(&self.app), Address::of_socket(address)));
        let (tidied, tasks) = (Arc::clone(&site), self.tasks.clone());
        tasks.every(TIDY, move || tidied.tidy());
        async move {
            let answer = move |request| {
                let site = Arc::clone(&site);
                async move { site.answer(request).await }
            };
            serve(listener, &tasks, tasks.stopping(), Patience::default(), answer).await;
        }
    }

    /// Starts what goes on beside the requests: file watching, upstreams, sweeping.
    fn look_after(&self, arguments: &ServeArguments) {
        let (live, root) = (Arc::clone(&self.app.live), arguments.workspace.clone());
        let stop = self.tasks.stopping();
        self.tasks.spawn(watch::watch(root, live, || Clock::wall().now(), stop));
        let (app, client, tasks) = (Arc::clone(&self.app), self.client.clone(), self.tasks.clone());
        let (stop, mut revisions) = (self.tasks.stopping(), self.app.live.revisions());
        self.tasks.spawn(async move {
            app.journal_rulebook();
            app.follow(&client, &tasks);
            while let Some(Ok(())) = stop.run_until_cancelled(revisions.changed()).await {
                app.journal_rulebook();
                app.follow(&client, &tasks);
            }
        });
        self.tasks.spawn(keep_rulebook(Arc::clone(&self.app), self.tasks.stopping()));
        if self.app.store.is_shared() {
            self.tasks.spawn(say_hello(Arc::clone(&self.app), self.tasks.stopping()));
            self.tasks.spawn(sweep_shared(Arc::clone(&self.app), self.tasks.stopping()));
            let (app, stop) = (Arc::clone(&self.app), self.tasks.stopping());
            self.tasks.spawn(async move { app.hear(stop).await });
        }
        self.tasks.spawn(pay_debts(Arc::clone(&self.app), self.tasks.stopping()));
        if self.app.journal().is_some() {
            self.tasks.spawn(sweep_journal(Arc::clone(&self.app), self.tasks.stopping()));
        }
        self.tasks.spawn(learn_pauses(Arc::clone(&self.app), self.tasks.stopping()));
        let app = Arc::clone(&self.app);
        self.tasks.every(SWEEP, move || {
            app.store.sweep(app.clock.now());
        });
    }
}

/// Each instance walks for itself: what one has taken out another finds done.
async fn sweep_shared(app: Arc<App>, stop: CancellationToken) {
    let mut place = Place::default();
    let (step, rest) = SWEEP_SHARED;
    let mut pause = step;
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        (place, pause) = match app.store.tidy(&place, app.clock.now()).await {
            Ok(Some(next)) => (next, step),
            Ok(None) => (Place::default(), rest),
            Err(StoreError::Moved) => (Place::default(), step),
            Err(error) => {
                tracing::debug!(%error, "Cannot take old activity out of the store now");
                (place, rest)
            }
        };
    }
}

/// While the store does not answer, what is known stands; polls are told of that store anyway.
async fn learn_pauses(app: Arc<App>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LEARN)).await.is_some() {
        if let Err(error) = app.learn_pauses().await {
            tracing::debug!(%error, "Cannot tell which products are paused");
        }
    }
}

/// What a step of a session owes, and the store did not take, is paid once the store takes it.
async fn pay_debts(app: Arc<App>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(PAY)).await.is_some() {
        if let Err(error) = app.pay_all_debts().await {
            tracing::debug!(%error, "Cannot finish yet what a refusal left undone");
        }
    }
}

/// Takes lines of people who were erased out of the journal.
async fn sweep_journal(app: Arc<App>, stop: CancellationToken) {
    let mut pause = Duration::ZERO;
    let wait = |pause| tokio::time::timeout(pause, app.somebody_is_erased());
    while stop.run_until_cancelled(wait(pause)).await.is_some() {
        let Some(swept) = stop.run_until_cancelled(app.sweep_journal()).await else { return };
        pause = match swept {
            Ok(swept) => {
                if swept
                    && app.store.is_shared()
                    && let Err(error) = app.say_hello(Clock::wall().now()).await
                {
                    tracing::debug!(%error, "Cannot tell the others that the journal is swept");
                }
                ERASED
            }
            Err(error) => {
                tracing::warn!(%error, "The journal is not swept of people who were erased yet");
                AGAIN
            }
        };
    }
}

/// Keeps each rulebook that comes into force, to start from when the disk is broken.
async fn keep_rulebook(app: Arc<App>, stop: CancellationToken) {
    let mut revisions = app.live.revisions();
    loop {
        revisions.borrow_and_update();
        let next = match app.keep_rulebook().await {
            Ok(()) => stop.run_until_cancelled(revisions.changed()).await.map(drop),
            Err(error) => {
                tracing::warn!(%error, "Cannot keep the rulebook for a start without the workspace");
                stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await
            }
        };
        if next.is_none() {
            return;
        }
    }
}

/// Tells the others that share the store what is served here.
async fn say_hello(app: Arc<App>, stop: CancellationToken) {
    let mut revisions = app.live.revisions();
    loop {
        revisions.borrow_and_update();
        if let Err(error) = app.say_hello(Clock::wall().now()).await {
            tracing::debug!(%error, "Cannot tell the others that this instance is there");
        }
        // Whoever waits for a revision is told of it at once.
        let next = tokio::time::timeout(HELLO, revisions.changed());
        if stop.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// `web-3:8080`
fn called(arguments: &ServeArguments, address: SocketAddr) -> String {
    let host = || {
        let system = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        system.or_else(|| environment::variable("HOSTNAME")).unwrap_or_else(|| "docent".to_owned())
    };
    let usual = || format!("{}:{}", host().trim(), address.port());
    arguments.instance.clone().unwrap_or_else(usual)
}

/// The journal that the settings ask for, if they do.
fn journal(
    arguments: &ServeArguments,
    settings: &Settings,
    clock: Clock,
) -> Result<Option<Journal>> {
    let Some(wanted) = &settings.journal else { return Ok(None) };
    let store = arguments.store.as_deref().unwrap_or(&settings.store);
    let Some(folder) = wanted.beside(store) else {
        if is_redis(store) {
            tracing::info!(
                "No journal is kept: beside a shared store it needs `journal: {{ folder: … }}`"
            );
        }
        return Ok(None);
    };
    let settings::Journal { keep, max_size, sample, .. } = *wanted;
    let terms = Terms { folder: arguments.workspace.join(folder), keep, max_size, sample };
    Ok(Some(Journal::start(terms, move || clock.now())?))
}

async fn bind(listen: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on `{listen}`"))?;
    let address = listener.local_addr().context("cannot tell the address")?;
    Ok((listener, address))
}

/// What to try first, with this server's own address in it.
fn greet(address: SocketAddr, settings: &Settings) {
    let base = format!("http://{address}");
    say(&format!("docent listens on {base}"));
    let Some(product) = settings.products.keys().next() else { return };
    say(&crate::http::home::first_steps(&base, product));
}

async fn asked_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
