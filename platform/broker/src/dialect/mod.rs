//! How devices name things. A dialect translates between a family of devices and the platform's own
//! channels; the session knows nothing but this trait.

pub(crate) mod native;

use crate::gate::Channel;

/// The topics of one family of devices. Topics are relative to the device.
pub(crate) trait Dialect: Send + Sync {
    /// What a message to `topic` is; `None` when the device may not publish there.
    fn channel(&self, topic: &str) -> Option<Channel>;

    /// Filters that together cover everything the device may subscribe to.
    fn audible(&self) -> &'static [&'static str];
}
