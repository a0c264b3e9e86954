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
            match task.plan.locks.iter().find(|lock| self.held.contains_key(*lock)) {
                Some(lock) => {
                    // It may have been woken for a lock that it does not take now: the next in that line must not starve.
                    for free in task.plan.locks.iter().filter(|name| !self.held.contains_key(*name)) {
                        if let Some(next) = self.waiting.get_mut(free).and_then(VecDeque::pop_front) {
                            self.ready.push_front(next);
                        }
                    }
                    self.waiting.entry(lock.clone()).or_default().push_back(task);
                }
                None => {
                    for lock in &task.plan.locks {
                        *self.held.entry(lock.clone()).or_default() += 1;
                    }
                    self.running += 1;
                    return Some(task);
                }
            }
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
        let mut rest: Vec<Task> = self.ready.drain(..).chain(waiting).chain(self.alone.drain(..)).chain(self.last.drain(..)).collect();
        rest.sort_by_key(|task| (task.feature, task.index));
        rest
    }
}
