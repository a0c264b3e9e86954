//! A fault that goes along with the events of a reply: each event that comes → what is written ([`Course`]), and where it ends.

use super::fault::Fault;
use super::script::Ending;

/// Goes along with one reply.
pub(super) struct Course<'a> {
    fault: &'a Fault,
    /// Events so far.
    seen: usize,
    /// One that is held back, or to be repeated.
    held: Option<Vec<u8>>,
}

impl<'a> Course<'a> {
    pub(super) fn new(fault: &'a Fault) -> Self {
        Self { fault, seen: 0, held: None }
    }

    /// How the reply ends here, before the next event is waited for.
    pub(super) fn over(&self) -> Option<Ending> {
        let (after, ending) = match self.fault {
            Fault::CutAfter(events) => (*events, Ending::Dropped),
            Fault::ResetAfter(events) => (*events, Ending::Reset),
            Fault::HalfCloseAfter(events) => (*events, Ending::HalfClosed),
            Fault::EndAfter(events) => (*events, Ending::Proper),
            Fault::StallAfter(events) => (*events, Ending::Stalled),
            Fault::NoiseAfter(events) => (*events, Ending::Noise),
            Fault::RepeatAfter(events) => (events + 1, Ending::Repeated(self.held.clone().unwrap_or_default())),
            _ => return None,
        };
        (self.seen >= after).then_some(ending)
    }

    /// What is written for an event, piece by piece.
    pub(super) fn event(&mut self, event: Vec<u8>) -> Vec<Vec<u8>> {
        self.seen += 1;
        match self.fault {
            Fault::Bytewise => event.into_iter().map(|byte| vec![byte]).collect(),
            Fault::Double(twin) if *twin == self.seen => vec![event.clone(), event],
            Fault::Swap(later) if *later == self.seen => {
                self.held = Some(event);
                Vec::new()
            }
            Fault::RepeatAfter(events) => {
                let again = self.seen > *events;
                self.held = Some(event.clone());
                // It is written by its repetition.
                if again { Vec::new() } else { vec![event] }
            }
            _ => [event].into_iter().chain(self.held.take()).collect(),
        }
    }

    /// What is written at the end of the server's reply, and how it ends.
    pub(super) fn end(&mut self) -> (Vec<Vec<u8>>, Ending) {
        match self.fault {
            Fault::RepeatAfter(_) => (Vec::new(), Ending::Repeated(self.held.take().unwrap_or_default())),
            // A reply of fewer events meets its fault at its end.
            Fault::CutAfter(_) => (Vec::new(), Ending::Dropped),
            Fault::ResetAfter(_) => (Vec::new(), Ending::Reset),
            Fault::HalfCloseAfter(_) => (Vec::new(), Ending::HalfClosed),
            Fault::StallAfter(_) => (Vec::new(), Ending::Stalled),
            Fault::NoiseAfter(_) => (Vec::new(), Ending::Noise),
            _ => (self.held.take().into_iter().collect(), Ending::Proper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fault: &Fault, events: &[&str], expect: &str, ending: &Ending) {
        let mut course = Course::new(fault);
        let mut written: Vec<Vec<u8>> = Vec::new();
        let mut over = course.over();
        for event in events {
            if over.is_some() {
                break;
            }
            written.extend(course.event(event.as_bytes().to_vec()));
            over = course.over();
        }
        let over = over.unwrap_or_else(|| {
            let (last, ending) = course.end();
            written.extend(last);
            ending
        });
        let written: Vec<String> = written.into_iter().map(|piece| String::from_utf8(piece).unwrap()).collect();
        assert_eq!((written.join("|").as_str(), &over), (expect, ending), "{fault:?}");
    }

    #[test]
    fn faults_go_along_with_the_events() {
        let three = |fault: &Fault, expect: &str, ending: &Ending| check(fault, &["1", "2", "3"], expect, ending);
        three(&Fault::CutAfter(1), "1", &Ending::Dropped);
        three(&Fault::CutAfter(0), "", &Ending::Dropped);
        three(&Fault::CutAfter(7), "1|2|3", &Ending::Dropped);
        three(&Fault::ResetAfter(2), "1|2", &Ending::Reset);
        three(&Fault::HalfCloseAfter(3), "1|2|3", &Ending::HalfClosed);
        three(&Fault::EndAfter(2), "1|2", &Ending::Proper);
        three(&Fault::StallAfter(0), "", &Ending::Stalled);
        three(&Fault::NoiseAfter(1), "1", &Ending::Noise);
        three(&Fault::RepeatAfter(1), "1", &Ending::Repeated(b"2".to_vec()));
        three(&Fault::RepeatAfter(9), "1|2|3", &Ending::Repeated(b"3".to_vec()));
        three(&Fault::Double(1), "1|1|2|3", &Ending::Proper);
        three(&Fault::Swap(2), "1|3|2", &Ending::Proper);
        three(&Fault::Swap(3), "1|2|3", &Ending::Proper);
        check(&Fault::Bytewise, &[":\n\n"], ":|\n|\n", &Ending::Proper);
    }
}
