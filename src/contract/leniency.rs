//! What does a finding mean for the scenario? Finding × leniency → [`Verdict`].

use super::finding::Finding;
use super::rule::Severity;

/// How lenient a run is with a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Leniency {
    /// None: what is no advice fails.
    #[default]
    None,
    /// Every dialect is tolerated and reported.
    Generic,
    /// Exactly the dialects listed for this server, by their places in its profile; entries whose version bound is not met
    /// are left out by whoever knows the version.
    Listed(Vec<(usize, String)>),
}

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The scenario fails.
    Fails,
    /// Tolerated; by this entry of the profile's `dialect` where it is one.
    Lenient(Option<usize>),
    /// Only reported.
    Advice,
}

impl Leniency {
    /// Weighs a finding. A violation always fails: a profile can only write it down as known of a scenario.
    pub fn verdict(&self, finding: &Finding) -> Verdict {
        match (finding.severity, self) {
            (Severity::Advice, _) => Verdict::Advice,
            (Severity::Violation, _) | (Severity::Dialect, Self::None) => Verdict::Fails,
            (Severity::Dialect, Self::Generic) => Verdict::Lenient(None),
            (Severity::Dialect, Self::Listed(entries)) => match entries.iter().find(|(_, rule)| rule == finding.rule.id) {
                Some((entry, _)) => Verdict::Lenient(Some(*entry)),
                None => Verdict::Fails,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::rule;

    #[test]
    fn leniency_weighs_severities() {
        let listed = Leniency::Listed(vec![(0, "W052".to_owned()), (3, "W057".to_owned())]);
        for (id, severity, none, generic, profile) in [
            ("W057", Severity::Dialect, Verdict::Fails, Verdict::Lenient(None), Verdict::Lenient(Some(3))),
            ("W050", Severity::Dialect, Verdict::Fails, Verdict::Lenient(None), Verdict::Fails),
            ("W057", Severity::Violation, Verdict::Fails, Verdict::Fails, Verdict::Fails),
            ("W052", Severity::Advice, Verdict::Advice, Verdict::Advice, Verdict::Advice),
        ] {
            let finding = Finding {
                exchange: crate::event::ExchangeId(1),
                rule: rule(id).expect("a rule"),
                severity,
                spot: super::super::Spot::whole(),
                found: String::new(),
                right: String::new(),
                excerpt: String::new(),
                count: 1,
            };
            let verdicts = [&Leniency::None, &Leniency::Generic, &listed].map(|leniency| leniency.verdict(&finding));
            assert_eq!(verdicts, [none, generic, profile], "{id} {severity:?}");
        }
    }
}
