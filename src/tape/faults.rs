//! Which fault meets which request? [`Faults`]: a list that is worked off, request by request. And how faults are written as
//! text, on a command line and in evidence.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::fault::Fault;

/// Faults for the requests to come: the first of the list until its times are over, then the next. None at its end.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Planned>>);

/// One fault and how often it is met.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Requests that meet it; `None` = all from then on.
    pub times: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

impl Faults {
    /// Adds a fault at the end of the list; one that stays there gives way to it.
    pub fn add(&self, planned: Planned) {
        let mut list = self.lock();
        list.retain(|known| known.times.is_some());
        list.push_back(planned);
    }

    /// All that are to come.
    pub fn all(&self) -> Vec<Planned> {
        self.lock().iter().cloned().collect()
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Puts these in the place of all.
    pub fn replace(&self, planned: Vec<Planned>) {
        *self.lock() = planned.into();
    }

    /// What is still to come, as text, a line each.
    pub fn render(&self) -> String {
        self.lock().iter().map(|planned| format!("{planned}\n")).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The fault of the next request.
    pub fn next(&self) -> Fault {
        let mut list = self.lock();
        while let Some(first) = list.front_mut() {
            match &mut first.times {
                None => return first.fault.clone(),
                Some(0) => drop(list.pop_front()),
                Some(left) => {
                    *left -= 1;
                    return first.fault.clone();
                }
            }
        }
        Fault::None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Planned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands after the word of a fault.
enum Takes {
    Nothing(fn() -> Fault),
    Count(fn(usize) -> Fault),
    Rate(fn(u64) -> Fault),
    Time(fn(Duration) -> Fault),
    Status(fn(u16) -> Fault),
    StatusAndWait(fn(u16, Option<u64>) -> Fault),
    Name(fn(String) -> Fault),
}

/// The word of each fault, what follows it, and what it says.
const WORDS: &[(&str, Takes, &str)] = &[
    ("none", Takes::Nothing(|| Fault::None), "passes as it is"),
    ("delay", Takes::Time(Fault::Delay), "goes on after this time: `delay=2s`"),
    ("slow-reply", Takes::Rate(Fault::SlowReply), "comes at so many bytes a second"),
    ("slow-request", Takes::Rate(Fault::SlowRequest), "goes on at so many bytes a second"),
    ("without", Takes::Name(Fault::Without), "lacks this header: `without=content-type`"),
    ("leave", Takes::Nothing(|| Fault::Leave), "comes whole; the next request on its connection gets no answer"),
    (
        "status",
        Takes::StatusAndWait(Fault::Status),
        "is this status with OpenAI's error body: `status=429`, `status=503,1` with `retry-after: 1`",
    ),
    ("html", Takes::Status(Fault::Html), "is this status with a page of HTML"),
    ("garbage", Takes::Nothing(|| Fault::Garbage), "is no HTTP"),
    ("bytewise", Takes::Nothing(|| Fault::Bytewise), "comes byte by byte"),
    ("cut", Takes::Count(Fault::CutAfter), "is cut after so many events"),
    ("reset", Takes::Count(Fault::ResetAfter), "is reset after so many events"),
    ("half-close", Takes::Count(Fault::HalfCloseAfter), "is closed from the server's side after so many events"),
    ("end", Takes::Count(Fault::EndAfter), "ends after so many events as if that were all"),
    ("stall", Takes::Count(Fault::StallAfter), "stands still after so many events"),
    ("noise", Takes::Count(Fault::NoiseAfter), "goes on with noise after so many events"),
    ("repeat", Takes::Count(Fault::RepeatAfter), "repeats the event after so many, without end"),
    ("double", Takes::Count(Fault::Double), "has the event of this number twice"),
    ("swap", Takes::Count(Fault::Swap), "has the event of this number after the next one"),
    ("longer", Takes::Count(Fault::Longer), "promises so many bytes more than come"),
    ("shorter", Takes::Count(Fault::Shorter), "promises so many bytes fewer than come"),
    ("cut-at", Takes::Count(Fault::CutAt), "is cut after so many bytes; its length header is right"),
    ("pad", Takes::Count(Fault::Pad), "has so many blanks more"),
    ("nest", Takes::Count(Fault::Nest), "has a value that is nested so deeply"),
    ("fragment", Takes::Count(Fault::Fragment), "has so many more fragments of arguments"),
    ("gzip", Takes::Nothing(|| Fault::Gzip), "is packed, though nobody asked"),
];

impl Planned {
    /// Reads `cut=3` or, for so many requests only, `2x status=429,1`. **Errors**: no such fault, or not what it takes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (times, fault) = match text.split_once("x ") {
            Some((times, fault)) if !times.is_empty() && times.bytes().all(|byte| byte.is_ascii_digit()) => {
                let times = times.parse().map_err(|_| format!("`{times}` is too large a number"))?;
                (Some(times), fault)
            }
            _ => (None, text),
        };
        Fault::parse(fault).map(|fault| Self { times, fault })
    }
}

impl Fault {
    /// Reads a fault's text form: `cut=3`. **Errors**: no such fault, or not what it takes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, value) = text.trim().split_once('=').map_or((text.trim(), None), |(word, value)| (word, Some(value)));
        let Some((_, takes, _)) = WORDS.iter().find(|(known, ..)| *known == word) else {
            let all: Vec<&str> = WORDS.iter().map(|(word, ..)| *word).collect();
            return Err(format!("there is no fault `{word}`; there are {}", all.join(", ")));
        };
        let given = value.unwrap_or_default();
        let wants = |what: &str| format!("`{text}`: `{word}` takes {what}, as in `{word}={}`", takes.example());
        match takes {
            Takes::Nothing(make) if value.is_none() => Ok(make()),
            Takes::Nothing(_) => Err(format!("`{text}`: `{word}` takes nothing")),
            Takes::Count(make) => given.parse().map(make).map_err(|_| wants("a number")),
            Takes::Rate(make) => match given.parse() {
                Ok(rate) if rate > 0 => Ok(make(rate)),
                _ => Err(wants("bytes a second")),
            },
            Takes::Time(make) => time(given).map(make).ok_or_else(|| wants("a time")),
            Takes::Status(make) => status(given).map(make).ok_or_else(|| wants("a status")),
            Takes::StatusAndWait(make) => {
                let (code, wait) = given.split_once(',').map_or((given, None), |(code, wait)| (code, Some(wait)));
                let wait = wait.map(str::parse).transpose().map_err(|_| wants("a status and seconds"))?;
                status(code).map(|code| make(code, wait)).ok_or_else(|| wants("a status"))
            }
            Takes::Name(make) if !given.is_empty() => Ok(make(given.to_owned())),
            Takes::Name(_) => Err(wants("a name")),
        }
    }

    /// Each fault's word with an example, and what it does to a reply.
    pub fn words() -> impl Iterator<Item = (String, &'static str)> {
        WORDS.iter().map(|(word, takes, says)| match takes {
            Takes::Nothing(_) => ((*word).to_owned(), *says),
            _ => (format!("{word}={}", takes.example()), *says),
        })
    }
}

impl Takes {
    fn example(&self) -> &'static str {
        match self {
            Self::Nothing(_) => "",
            Self::Count(_) => "3",
            Self::Rate(_) => "100",
            Self::Time(_) => "2s",
            Self::Status(_) => "502",
            Self::StatusAndWait(_) => "429",
            Self::Name(_) => "content-type",
        }
    }
}

fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (200..=599).contains(status))
}

fn time(text: &str) -> Option<Duration> {
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::Delay(time) => write!(f, "delay={}ms", time.as_millis()),
            Self::SlowReply(rate) => write!(f, "slow-reply={rate}"),
            Self::SlowRequest(rate) => write!(f, "slow-request={rate}"),
            Self::Without(name) => write!(f, "without={name}"),
            Self::Leave => write!(f, "leave"),
            Self::Status(status, None) => write!(f, "status={status}"),
            Self::Status(status, Some(wait)) => write!(f, "status={status},{wait}"),
            Self::Html(status) => write!(f, "html={status}"),
            Self::Garbage => write!(f, "garbage"),
            Self::Bytewise => write!(f, "bytewise"),
            Self::CutAfter(events) => write!(f, "cut={events}"),
            Self::ResetAfter(events) => write!(f, "reset={events}"),
            Self::HalfCloseAfter(events) => write!(f, "half-close={events}"),
            Self::EndAfter(events) => write!(f, "end={events}"),
            Self::StallAfter(events) => write!(f, "stall={events}"),
            Self::NoiseAfter(events) => write!(f, "noise={events}"),
            Self::RepeatAfter(events) => write!(f, "repeat={events}"),
            Self::Double(event) => write!(f, "double={event}"),
            Self::Swap(event) => write!(f, "swap={event}"),
            Self::Longer(bytes) => write!(f, "longer={bytes}"),
            Self::Shorter(bytes) => write!(f, "shorter={bytes}"),
            Self::CutAt(bytes) => write!(f, "cut-at={bytes}"),
            Self::Pad(bytes) => write!(f, "pad={bytes}"),
            Self::Nest(levels) => write!(f, "nest={levels}"),
            Self::Fragment(count) => write!(f, "fragment={count}"),
            Self::Gzip => write!(f, "gzip"),
            Self::Edit(_) => write!(f, "edit"),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            None => write!(f, "{}", self.fault),
            Some(times) => write!(f, "{times}x {}", self.fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_can_be_written_and_read() {
        for (example, _) in Fault::words() {
            let fault = Fault::parse(&example).unwrap_or_else(|error| panic!("{example}: {error}"));
            let again = Fault::parse(&fault.to_string()).unwrap_or_else(|error| panic!("{fault}: {error}"));
            assert_eq!(fault.to_string(), again.to_string());
        }
    }

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        match (Planned::parse(text), expect) {
            (Ok(planned), Ok(expect)) => assert_eq!(planned.to_string(), expect),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn texts_of_faults() {
        check("cut=3", Ok("cut=3"));
        check(" 2x status=429,1 ", Ok("2x status=429,1"));
        check("delay=2s", Ok("delay=2000ms"));
        check("kut=3", Err("there is no fault `kut`; there are none, delay"));
        check("cut", Err("takes a number, as in `cut=3`"));
        check("gzip=1", Err("takes nothing"));
        check("status=42", Err("takes a status"));
        check("status=429,soon", Err("takes a status and seconds"));
        check("slow-reply=0", Err("takes bytes a second"));
        check("delay=2", Err("takes a time"));
        check("without=", Err("takes a name"));
        check("99999999999999999999x cut=1", Err("too large"));
    }

    #[test]
    fn faults_are_met_in_order() {
        let faults = Faults::default();
        assert!(matches!(faults.next(), Fault::None));
        for text in ["2x status=429", "cut=1", "0x gzip", "1x leave", "end=2"] {
            faults.add(Planned::parse(text).unwrap());
        }
        assert_eq!(faults.render(), "2x status=429\n0x gzip\n1x leave\nend=2\n", "a new one takes the place of one that stays");
        let met: Vec<String> = (0..5).map(|_| faults.next().to_string()).collect();
        assert_eq!(met, ["status=429", "status=429", "leave", "end=2", "end=2"]);
        faults.clear();
        assert!(faults.is_empty());
        assert!(matches!(faults.next(), Fault::None));
    }
}
