//! Floor 6: the commands, their arguments and exit codes.

mod backup;
mod check;
mod dev;
mod explain;
mod forget;
mod formats;
mod journal;
mod kept;
mod new;
mod pause;
mod plan;
mod remote;
mod replay;
mod report;
mod schema;
mod serve;
mod status;
mod store;
mod test;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Decides, by rules anyone can read, whether now is the moment to offer help.
#[derive(Debug, Parser)]
#[command(name = "docent", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a workspace; rules reload as their files change.
    Serve(ServeArguments),
    /// Reads a workspace as `serve` would and prints every mistake.
    Check(CheckArguments),
    /// Tells why a session is offered something, or nothing: asks a running docent, or a journal.
    Explain(ExplainArguments),
    /// Removes what a running docent knows of a session, to start over while trying a rule.
    Forget(ForgetArguments),
    /// Shows or removes all that a running docent keeps of one person.
    User(user::UserArguments),
    /// Makes a running docent offer nothing for a product, until it is resumed or a time has come.
    Pause(pause::PauseArguments),
    /// Ends a product's pause.
    Resume(pause::ResumeArguments),
    /// Says what running instances serve; with --wait, once all of them serve the same.
    Status(status::StatusArguments),
    /// Saves every record of a running docent's store as a file.
    Backup(backup::BackupArguments),
    /// Puts the records of a backup back, through a running docent or into a store at rest.
    Restore(backup::RestoreArguments),
    /// Carries records from store to store.
    Store(store::StoreArguments),
    /// Sweeps journals that no docent is writing to.
    Journal(journal::JournalArguments),
    /// Runs the tests beside the rules, in virtual time.
    Test(TestArguments),
    /// Lives recorded sessions through under the rules, or under two revisions of them.
    Replay(replay::Arguments),
    /// Says what a pull request changes, for people: one comment in Markdown.
    Plan(plan::Arguments),
    /// Checks and tests a workspace at every save.
    Dev(DevArguments),
    /// Makes a workspace, or a rule, tour or prompt of one, to start from.
    New(NewArguments),
    /// Prints the JSON Schema of a kind of file, for editors.
    Schema(SchemaArguments),
}

/// Arguments of `docent serve`.
#[derive(Debug, clap::Args)]
struct ServeArguments {
    /// The folder with docent.yaml.
    #[arg(long, default_value = ".")]
    workspace: PathBuf,
    /// Listen here instead of where docent.yaml says.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Keep records here instead of where docent.yaml says; paths count from the workspace.
    #[arg(long, value_name = "STORE", env = "DOCENT_STORE", hide_env_values = true)]
    store: Option<String>,
    /// What this instance is called in `docent status`; else its host and port.
    #[arg(long, value_name = "NAME", env = "DOCENT_INSTANCE")]
    instance: Option<String>,
    /// Time stands still until POST /__clock moves it; loopback only, for tests.
    #[arg(long)]
    virtual_clock: bool,
    /// How logs are written.
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    log: LogFormat,
}

/// Arguments of `docent check`.
#[derive(Debug, clap::Args)]
struct CheckArguments {
    /// The folder with docent.yaml.
    #[arg(default_value = ".")]
    workspace: PathBuf,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = Report::Human)]
    format: Report,
    /// Exit 2 for warnings too.
    #[arg(long)]
    deny_warnings: bool,
    /// Repair what only one thing can be meant by; with --stdin, print the repaired text.
    #[arg(long)]
    fix: bool,
    /// Take the text on standard input for the file that --as names: for editors.
    #[arg(long, requires = "path")]
    stdin: bool,
    /// The file that standard input stands for: rules/projects.yaml.
    #[arg(long = "as", value_name = "FILE", requires = "stdin")]
    path: Option<PathBuf>,
}

/// Arguments of `docent explain`.
#[derive(Debug, clap::Args)]
struct ExplainArguments {
    /// The browser session.
    #[arg(required_unless_present = "named")]
    session: Option<String>,
    /// The browser session, too.
    #[arg(long = "session", value_name = "ID", conflicts_with = "session")]
    named: Option<String>,
    /// Ask this folder or segment of a journal instead of a running docent.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// With --journal: the folder with docent.yaml, by whose rules it is explained.
    #[arg(long, default_value = ".")]
    workspace: PathBuf,
    /// The product.
    #[arg(long, default_value = "acme")]
    product: String,
    /// Only what would have to change first for this trigger to fire.
    #[arg(long, value_name = "TRIGGER")]
    rule: Option<String>,
    /// Ask about this instant: `2026-11-21T14:05:00Z`, `14:05` (today, UTC), `-5m`, or seconds since
    /// 1970. Without it now, or the last one that the journal tells of.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// The chat thread, when it is not the toast's own.
    #[arg(long)]
    conversation: Option<String>,
    /// Where docent runs.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The product's secret key.
    #[arg(long, env = "DOCENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Arguments of `docent forget`.
#[derive(Debug, clap::Args)]
struct ForgetArguments {
    /// The browser session.
    #[arg(long, value_name = "ID")]
    session: String,
    /// The product.
    #[arg(long, default_value = "acme")]
    product: String,
    /// A chat thread of the session, to forget as well.
    #[arg(long)]
    conversation: Option<String>,
    /// Where docent's operators' routes are.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// An operator's token, or the product's secret key.
    #[arg(long, env = "DOCENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Arguments of `docent test`.
#[derive(Debug, clap::Args)]
struct TestArguments {
    /// The folder with docent.yaml.
    #[arg(default_value = ".")]
    workspace: PathBuf,
    /// Run only tests with this text in `file: trigger: name`.
    #[arg(long, value_name = "PATTERN", conflicts_with = "coverage")]
    run: Option<String>,
    /// Demand that each rule was seen firing and seen silent, or with `clauses` that each clause
    /// of it was seen deciding, too; list what was not.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "rules"
    )]
    coverage: Option<Coverage>,
    /// Run them again at every save, until interrupted.
    #[arg(long, conflicts_with = "junit")]
    watch: bool,
    /// Write the results there as JUnit XML, too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail when no test was run.
    #[arg(long)]
    fail_on_empty: bool,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Arguments of `docent dev`.
#[derive(Debug, clap::Args)]
struct DevArguments {
    /// The folder with docent.yaml.
    #[arg(default_value = ".")]
    workspace: PathBuf,
    /// Run only tests with this text in `file: trigger: name`.
    #[arg(long, value_name = "PATTERN")]
    run: Option<String>,
}

/// What tests must have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Coverage {
    /// Each rule firing, and silent.
    Rules,
    /// That, and each clause of it deciding, both ways.
    Clauses,
}

/// How `docent check` tells what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Report {
    /// For people, with the source line.
    Human,
    /// One JSON object.
    Json,
    /// Workflow commands, shown beside the lines of a pull request.
    Github,
    /// A SARIF 2.1.0 log, for code scanning.
    Sarif,
}

/// Arguments of `docent new`.
#[derive(Debug, clap::Args)]
struct NewArguments {
    /// What to make.
    #[arg(value_enum)]
    kind: NewKind,
    /// Its name: a workspace's folder and product, else the id and the file.
    name: String,
    /// The folder to make a workspace in, else the workspace itself.
    #[arg(long = "in", value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Whose rule or tour, when the workspace has several products.
    #[arg(long)]
    product: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NewKind {
    /// A folder with settings, a draft rule, a tour, a prompt and the schemas.
    Workspace,
    /// A draft rule with its tests.
    Rule,
    /// A tour of one step.
    Tour,
    /// A prompt with its front matter.
    Prompt,
    /// A segment for conditions to ask for.
    Segment,
    /// Translations into a language such as nb-NO, still to be written.
    Locale,
}

/// Arguments of `docent schema`.
#[derive(Debug, clap::Args)]
struct SchemaArguments {
    /// The kind of file.
    #[arg(value_enum)]
    kind: SchemaKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemaKind {
    /// docent.yaml
    Docent,
    /// rules/*.yaml, rules/*.test.yaml included
    Rules,
    /// tours/*.yaml
    Tours,
    /// locales/*.yaml
    Locales,
    /// segments/*.yaml
    Segments,
    /// The front matter of prompts/*.md
    Prompts,
    /// rules/*.test.yaml alone
    Tests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the source line.
    Human,
    /// One JSON object.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people on a terminal, else JSON lines.
    Auto,
    /// For people.
    Human,
    /// JSON lines.
    Json,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// All is well.
    Fine = 0,
    /// Something could not be read, bound or reached.
    Failed = 1,
    /// The workspace has mistakes.
    Invalid = 2,
    /// A test of a rule does not hold.
    TestsFailed = 3,
    /// A replay differs by more than was allowed, or from what was recorded.
    Differs = 4,
    /// What was waited for has not come in time.
    TimedOut = 5,
}

/// Parses the command line and runs it.
pub fn run() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os()))
}

/// The same for these arguments, the command's name first; the exit code.
pub fn run_with<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> u8 {
    let exit = match Arguments::parse_from(arguments).command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Forget(arguments) => forget::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Pause(arguments) => pause::pause(&arguments),
        Command::Resume(arguments) => pause::resume(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Store(arguments) => store::run(&arguments),
        Command::Journal(arguments) => journal::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Dev(arguments) => dev::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
    };
    exit as u8
}
