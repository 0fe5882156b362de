//! Answers devices from their twins, brings their answers to whoever gave them commands, and says to them what the platform
//! has to say. Translation only.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use broker::{Attendant, CommandAnswer, Newcomer, Saying, TwinView, Unregistered};
use tenants::{CorrelationId, DeviceId, TenantId};
use twins::{
    Twins,
    downlink::{Answer, Command, Message, ToDevice, Waiting},
};

use crate::enrolling::Enrolling;

pub(crate) struct ToTwins {
    pub(crate) twins: Twins,
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) enrolling: Enrolling,
}

#[async_trait]
impl Attendant for ToTwins {
    async fn twin(&self, tenant: TenantId, device: &DeviceId) -> Option<TwinView> {
        let state = self.twins.own(tenant, device).await;
        let state =
            state.inspect_err(|error| tracing::warn!(%error, "a device could not be told its twin")).ok()?;
        Some(TwinView {
            desired: state.desired.clone(),
            desired_version: state.desired_version,
            confirmed_version: state.confirmed_version,
            reported: state.reported.clone(),
            reported_version: state.reported_version,
        })
    }

    async fn register(&self, tenant: TenantId, device: &DeviceId, model: Option<&str>) -> Result<(), String> {
        self.enrolling.register(tenant, device, model).await
    }

    async fn enrol(
        &self,
        newcomer: Newcomer,
        from: IpAddr,
        correlation: CorrelationId,
    ) -> Result<String, Unregistered> {
        self.enrolling.enrol(&newcomer, from, correlation).await
    }

    fn answered(&self, tenant: TenantId, device: &DeviceId, id: u32, answer: Option<CommandAnswer>) {
        let answer = answer.map(|CommandAnswer { status, body }| Answer { status, body });
        if !self.waiting.answered(tenant, device, id, answer) {
            tracing::debug!(id, "a device answered a command that nobody waits for any more");
        }
    }
}

pub(crate) fn saying(of: &ToDevice) -> Saying {
    match of.clone() {
        ToDevice::Desired { patch, properties, version } => Saying::Desired { patch, properties, version },
        ToDevice::Command(Command { id, name, body, until }) => Saying::Command { id, name, body, until },
        ToDevice::Message(Message { id, payload, properties }) => Saying::Message { id, payload, properties },
    }
}
