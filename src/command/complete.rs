//! Shell completions.

use clap::Args;

use super::usage::Usage;
use super::{Words, table};

/// A supported shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Shell {
    Bash,
    Fish,
    Zsh,
}

/// `completion`
#[derive(Debug, Args)]
pub(super) struct CompletionWords {
    /// The shell.
    #[arg(value_name = "bash|zsh|fish", hide = true)]
    shell: Shell,
}

impl Words for CompletionWords {
    type Asked = Shell;

    fn asked(self) -> Result<Shell, Usage> {
        Ok(self.shell)
    }
}

/// Returns the completion script for a shell.
#[must_use]
pub fn completion(shell: Shell) -> String {
    let generator = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    clap_complete::generate(generator, &mut table::tree(), "hoist", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
