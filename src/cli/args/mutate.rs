//! Arguments of `mutate`.

use std::path::PathBuf;

use clap::Args;

use super::{ColorArg, ContractArg};

/// `mutate`.
#[derive(Debug, Clone, Args)]
pub struct MutateArgs {
    /// Suite whose score it is
    #[arg(long, value_name = "NAME", env = "FIREASSAY_SUITE", default_value = "base", help_heading = "What")]
    pub suite: String,
    /// Setup whose tape answers (default: the suite's own)
    #[arg(long, value_name = "NAME", env = "FIREASSAY_SETUP", help_heading = "What")]
    pub setup: Option<String>,
    /// Only scenarios that meet this tag expression
    #[arg(long, value_name = "EXPR", env = "FIREASSAY_TAGS", help_heading = "What")]
    pub tags: Option<String>,
    /// Only scenarios whose name matches this regular expression
    #[arg(long, value_name = "REGEX", env = "FIREASSAY_NAME", help_heading = "What")]
    pub name: Option<String>,
    /// Only these operators; repeat for several
    #[arg(long = "operator", value_name = "ID", value_delimiter = ',', help_heading = "What")]
    pub operators: Vec<String>,
    /// Contract to score under (default: the setup's profile, and openai beside it)
    #[arg(long, value_enum, env = "FIREASSAY_CONTRACT", help_heading = "How")]
    pub contract: Option<ContractArg>,
    /// Lowest share of noticed breaks, per cent, that is accepted under each contract
    #[arg(long, value_name = "PCT", env = "FIREASSAY_MIN_SCORE", value_parser = percent, help_heading = "How")]
    pub min_score: Option<f64>,
    /// Try everything again, whatever was tried before
    #[arg(long, help_heading = "How")]
    pub afresh: bool,
    /// Show every reply that was not noticed, not one for each operator
    #[arg(long, help_heading = "Output")]
    pub all_survivors: bool,
    /// List the operators and try nothing
    #[arg(long, help_heading = "Output")]
    pub list: bool,
    /// Write all of it as JSON here
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub json: Option<PathBuf>,
    /// Write it as Markdown here
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub markdown: Option<PathBuf>,
    /// Colours
    #[arg(long, value_enum, env = "FIREASSAY_COLOR", default_value_t, help_heading = "Output")]
    pub color: ColorArg,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("write a share from 0 to 100, such as `97`".to_owned()),
    }
}
