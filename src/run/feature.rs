//! A cell's features as cucumber's own type, streamed out of the plan: our `Parser`.

use std::path::PathBuf;
use std::sync::Arc;

use cucumber::gherkin::{self, LineCol, Span, StepType};
use cucumber::{Parser, cli, parser};
use futures::stream::{self, LocalBoxStream, StreamExt};

use crate::event::Place;
use crate::plan::{CellPlan, FeaturePlan, ScenarioPlan, StepPlan, StepUse};

/// Hands the features of a plan to cucumber one by one; nothing is held twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanParser;

impl Parser<Arc<CellPlan>> for PlanParser {
    type Cli = cli::Empty;
    type Output = LocalBoxStream<'static, parser::Result<gherkin::Feature>>;

    fn parse(self, cell: Arc<CellPlan>, _: cli::Empty) -> Self::Output {
        stream::iter(0..cell.features.len()).map(move |at| Ok(feature(&cell.features[at]))).boxed_local()
    }
}

fn feature(plan: &FeaturePlan) -> gherkin::Feature {
    gherkin::Feature {
        keyword: plan.keyword.to_string(),
        name: plan.name.to_string(),
        description: None,
        background: None,
        scenarios: plan.scenarios.iter().map(|plan| scenario(plan)).collect(),
        rules: Vec::new(),
        tags: Vec::new(),
        span: Span::default(),
        position: position(&plan.at),
        path: Some(PathBuf::from(&*plan.file)),
    }
}

fn scenario(plan: &ScenarioPlan) -> gherkin::Scenario {
    gherkin::Scenario {
        keyword: "Scenario".to_owned(),
        name: plan.name.to_string(),
        description: None,
        steps: plan.steps.iter().map(|plan| step(plan)).collect(),
        examples: Vec::new(),
        tags: plan.tags.iter().map(|tag| tag.trim_start_matches('@').to_owned()).collect(),
        span: Span::default(),
        position: position(&plan.at),
    }
}

/// A planned step as cucumber's functions take it.
pub(super) fn step(plan: &StepPlan) -> gherkin::Step {
    gherkin::Step {
        keyword: plan.keyword.to_string(),
        ty: match plan.kind {
            StepUse::Given => StepType::Given,
            StepUse::When => StepType::When,
            StepUse::Then => StepType::Then,
        },
        value: plan.text.to_string(),
        docstring: plan.doc.as_ref().map(|doc| doc.content.to_string()),
        table: plan.table.as_ref().map(|rows| gherkin::Table {
            rows: rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect(),
            span: Span::default(),
            position: LineCol::default(),
        }),
        span: Span::default(),
        position: position(&plan.at),
    }
}

fn position(at: &Place) -> LineCol {
    LineCol { line: at.line as usize, col: at.column as usize }
}
