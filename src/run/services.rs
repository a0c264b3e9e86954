//! What scenarios know of the single services of their stack, and the door to its owner.

use crate::plan::CellPlan;
use crate::stack::{Address, Door, Stack};
use crate::steps::{ServiceContext, Services};

/// The services of a stack that this run started; none else. `wanted_key` is the key that the stack itself is known to want.
pub(super) fn of(cell: &CellPlan, stack: &Stack, wanted_key: Option<&str>) -> Services {
    let context = |address: Address| {
        let service = cell.setup.services.get(&address.name);
        // A key that the setup gives to a service is one that the service wants.
        let own = service.is_some_and(|service| service.auth.is_some());
        let profile = cell.service_profiles.iter().find(|(name, _)| *name == address.name);
        ServiceContext {
            wanted_key: if own { address.bearer.clone() } else { wanted_key.map(str::to_owned) },
            metrics: profile.and_then(|(_, profile)| profile.metrics.clone()),
            address,
        }
    };
    Services { all: stack.addresses().into_iter().map(context).collect(), door: None }
}

/// The same with a door, where there are services behind it.
pub(super) fn with_door(services: Services, door: Door) -> Services {
    let door = (!services.all.is_empty()).then_some(door);
    Services { door, ..services }
}
