//! The plan's id: a hash of what would be done, free of places, hosts and time.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{CellPlan, Connect, ScenarioPlan, StepPlan};

/// SHA-256 of the cells, hex; empty for none.
pub(super) fn plan_id(cells: &[CellPlan]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let mut hash = Hash(Sha256::new());
    hash.text("fireassay plan 1");
    for cell in cells {
        hash.cell(cell);
    }
    format!("{:x}", hash.0.finalize())
}

struct Hash(Sha256);

impl Hash {
    /// Length first, so that no two lists of texts run together into the same bytes.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        // Through a value, so that the order of keys as written is kept and numbers are written one way.
        let value: Value = serde_json::to_value(value).expect("specs can be written as JSON");
        self.text(&value.to_string());
    }

    fn cell(&mut self, cell: &CellPlan) {
        self.text(&cell.id.0);
        self.json(&*cell.setup);
        self.json(&cell.profile.as_deref());
        for client in &cell.clients {
            self.json(&**client);
        }
        for (name, profile) in &cell.service_profiles {
            self.text(name);
            self.json(&**profile);
        }
        if let Connect::Compose { parts } = &cell.connect {
            for part in parts {
                self.json(&*part.setup);
                self.json(&part.abilities);
            }
        }
        self.text(match &cell.connect {
            Connect::Compose { .. } => "compose",
            // Who started it is no part of what must happen.
            Connect::Start | Connect::Serve { .. } => "start",
            Connect::Attach { url } => url,
        });
        self.number(cell.models.len() as u64);
        for (role, model) in &cell.models {
            self.text(role);
            self.text(model);
        }
        self.text(cell.contract.word());
        self.text(cell.mode.word());
        self.text(cell.skip.as_deref().unwrap_or(""));
        self.number(u64::from(cell.concurrency));
        self.json(&cell.sampling);
        self.json(&cell.named);
        self.number(cell.tools.len() as u64);
        for tool in &*cell.tools {
            self.json(&**tool);
        }
        for feature in &cell.features {
            self.text(&feature.file);
            self.text(&feature.name);
            self.number(feature.scenarios.len() as u64);
            for scenario in &feature.scenarios {
                self.scenario(scenario);
            }
        }
    }

    fn scenario(&mut self, scenario: &ScenarioPlan) {
        self.text(&scenario.id.0);
        self.number(scenario.tags.len() as u64);
        for tag in &*scenario.tags {
            self.text(tag);
        }
        self.text(scenario.skip.as_deref().unwrap_or(""));
        self.number(u64::from(scenario.retries));
        self.number(u64::try_from(scenario.timeout.as_millis()).unwrap_or(u64::MAX));
        self.number(u64::try_from(scenario.step_timeout.as_millis()).unwrap_or(u64::MAX));
        self.number(scenario.steps.len() as u64);
        for step in &*scenario.steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &StepPlan) {
        self.text(step.kind.word());
        self.text(&step.text);
        if let Some(table) = &step.table {
            self.number(table.len() as u64);
            for row in &**table {
                self.number(row.len() as u64);
                for cell in row {
                    self.text(cell);
                }
            }
        }
        if let Some(doc) = &step.doc {
            self.text(doc.media_type.as_deref().unwrap_or(""));
            self.text(&doc.content);
        }
    }
}
