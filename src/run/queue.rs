//! Which scenario may start next: [`Queue`]. Linear: a waiting scenario is looked at again only when its lock is released.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::plan::ScenarioPlan;

/// A scenario to run, with its place in the plan and its try.
#[derive(Debug, Clone)]
pub(super) struct Task {
    /// Number of its feature in the cell.
    pub feature: usize,
    /// Number of the scenario in its feature.
    pub index: usize,
    /// What to run.
    pub plan: Arc<ScenarioPlan>,
    /// Try, from 1.
    pub attempt: u32,
}

/// Ready, waiting for a lock, alone, and last.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: VecDeque<Task>,
    waiting: HashMap<String, VecDeque<Task>>,
    held: HashMap<String, usize>,
    alone: VecDeque<Task>,
    last: VecDeque<Task>,
    running: usize,
    exclusive: bool,
}

impl Queue {
    /// Adds a task to the line its flags ask for.
    pub fn push(&mut self, task: Task) {
        if task.plan.flags.destructive {
            self.last.push_back(task);
        } else if task.plan.flags.serial {
            self.alone.push_back(task);
        } else {
            self.ready.push_back(task);
        }
    }

    /// Tasks that could start without waiting for the others to end.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Takes the next task that may start beside what runs; `drained` says that no more tasks will be pushed.
    pub fn next(&mut self, limit: usize, drained: bool) -> Option<Task> {
        if self.exclusive || self.running >= limit {
            return None;
        }
        while let Some(task) = self.ready.pop_front() {
            let Some(lock) = task.plan.locks.iter().find(|lock| self.held.contains_key(*lock)) else {
                for lock in &task.plan.locks {
                    *self.held.entry(lock.clone()).or_default() += 1;
                }
                self.running += 1;
                return Some(task);
            };
            // It may have been woken for a lock that it does not take now: the next in that line must not starve.
            for free in task.plan.locks.iter().filter(|name| !self.held.contains_key(*name)) {
                if let Some(next) = self.waiting.get_mut(free).and_then(VecDeque::pop_front) {
                    self.ready.push_front(next);
                }
            }
            self.waiting.entry(lock.clone()).or_default().push_back(task);
        }
        if self.running > 0 || !drained {
            return None;
        }
        let task = self.alone.pop_front().or_else(|| self.last.pop_front())?;
        self.exclusive = true;
        self.running += 1;
        Some(task)
    }

    /// A task that was taken has ended.
    pub fn done(&mut self, plan: &ScenarioPlan) {
        self.running -= 1;
        self.exclusive = false;
        for lock in &plan.locks {
            if let Some(count) = self.held.get_mut(lock) {
                *count -= 1;
                if *count == 0 {
                    self.held.remove(lock);
                }
            }
            if let Some(task) = self.waiting.get_mut(lock).and_then(VecDeque::pop_front) {
                self.ready.push_front(task);
            }
        }
    }

    /// Tasks running now.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Everything that has not started, in order of its lines.
    pub fn drain(&mut self) -> Vec<Task> {
        let waiting = self.waiting.drain().flat_map(|(_, tasks)| tasks);
        let mut rest: Vec<Task> =
            self.ready.drain(..).chain(waiting).chain(self.alone.drain(..)).chain(self.last.drain(..)).collect();
        rest.sort_by_key(|task| (task.feature, task.index));
        rest
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{Place, ScenarioId};
    use crate::plan::Flags;

    fn task(index: usize, locks: &[&str], flags: Flags) -> Task {
        let plan = ScenarioPlan {
            id: ScenarioId(format!("s{index}").into()),
            classname: "c".into(),
            name: format!("s{index}").into(),
            at: Place { file: "f".into(), line: 1, column: 1 },
            tags: Arc::from([]),
            role: "text",
            steps: Arc::from([]),
            skip: None,
            known: Vec::new(),
            shows: Vec::new(),
            flags,
            locks: locks.iter().map(ToString::to_string).collect(),
            retries: 0,
            timeout: Duration::from_secs(1),
            step_timeout: Duration::from_secs(1),
        };
        Task { feature: 0, index, plan: Arc::new(plan), attempt: 1 }
    }

    /// Starts all it can, ends the oldest, and so on; returns what ran together at each moment.
    fn order(tasks: Vec<Task>, limit: usize) -> Vec<Vec<usize>> {
        let mut queue = Queue::default();
        for task in tasks {
            queue.push(task);
        }
        let (mut running, mut moments) = (VecDeque::new(), Vec::new());
        loop {
            while let Some(task) = queue.next(limit, true) {
                running.push_back(task);
            }
            let Some(oldest) = running.front().cloned() else { return moments };
            moments.push(running.iter().map(|task: &Task| task.index).collect());
            running.pop_front();
            queue.done(&oldest.plan);
        }
    }

    #[test]
    fn locks_keep_apart_and_never_starve() {
        let free = Flags::default();
        let tasks = vec![
            task(0, &["a"], free),
            task(1, &["b"], free),
            task(2, &["a", "b"], free),
            task(3, &["a"], free),
            task(4, &[], free),
        ];
        let moments = order(tasks, 8);
        let together = |x: usize, y: usize| moments.iter().any(|now| now.contains(&x) && now.contains(&y));
        assert!(!together(0, 2) && !together(1, 2) && !together(0, 3) && !together(2, 3), "{moments:?}");
        assert!(together(0, 1) && together(0, 4), "{moments:?}");
        let mut seen: Vec<usize> = moments.concat();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn serial_runs_alone_and_destructive_last() {
        let serial = Flags { serial: true, destructive: false };
        let destructive = Flags { serial: false, destructive: true };
        let tasks =
            vec![task(0, &[], destructive), task(1, &[], serial), task(2, &[], Flags::default()), task(3, &[], Flags::default())];
        assert_eq!(order(tasks, 2), [vec![2, 3], vec![3], vec![1], vec![0]]);
    }
}
