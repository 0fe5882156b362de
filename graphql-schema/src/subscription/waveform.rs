//! A waveform as it comes in. What a slow client misses is gone: a live curve does not look back.

use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::{StreamExt, stream, stream::BoxStream};
use tenants::{PatientId, access::Object};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use twins::patient::WaveformChunk;

use super::recheck::Follower;
use crate::{
    arguments,
    errors::{ApiError, Result},
    reads::Kind,
    scalars::{DateTime, shortest},
};

/// A stretch of a waveform.
#[derive(SimpleObject)]
pub(super) struct Waveform {
    patient_id: ID,
    /// e.g. ecg
    channel: String,
    /// Time of the first sample.
    started_at: DateTime,
    sample_rate_hz: f64,
    /// mV for ecg
    unit: String,
    samples: Vec<f64>,
}

#[derive(Default)]
pub(super) struct WaveformSubscription;

#[Subscription]
impl WaveformSubscription {
    /// Waveforms of a patient from now on; a client that falls behind misses some.
    async fn waveform(&self, ctx: &Context<'_>, patient: ID) -> Result<BoxStream<'static, Result<Waveform>>> {
        let patient = arguments::id(&patient)?;
        let follower = Follower::new(ctx, Object::Patient)?;
        let refused = |error: &ApiError| {
            follower.reads.refused_because(error, Kind::Waveform, [Some(patient)]);
        };
        let scope = follower.grant().await.inspect_err(refused)?;
        let chunks = follower.services.twins.feed().waveforms(&scope, patient);
        let following = Following { follower, patient, chunks, ended: false };
        let refused = |error: &ApiError| {
            following.follower.reads.refused_because(error, Kind::Waveform, [Some(patient)]);
        };
        following.check_visible().await.inspect_err(refused)?;
        let next = |mut following: Following| async move {
            let item = following.next().await?;
            Some((item, following))
        };
        Ok(stream::unfold(following, next).boxed())
    }
}

struct Following {
    follower: Follower,
    patient: PatientId,
    chunks: Receiver<Arc<WaveformChunk>>,
    ended: bool,
}

impl Following {
    async fn check_visible(&self) -> Result<()> {
        let scope = self.follower.grant().await?;
        let visible = self.follower.services.patients.by_ids(&scope, &[self.patient]).await?;
        if visible.is_empty() { Err(ApiError::not_found("patient")) } else { Ok(()) }
    }

    async fn next(&mut self) -> Option<Result<Waveform>> {
        while !self.ended {
            let checked = tokio::select! {
                chunk = self.chunks.recv() => match chunk {
                    Ok(chunk) => match self.follower.grant().await {
                        Ok(scope) => {
                            self.follower.reads.saw(&scope, Kind::Waveform, [self.patient]);
                            return Some(Ok(self.shown(&chunk)));
                        }
                        Err(error) => Err(error),
                    },
                    Err(RecvError::Lagged(_)) => Ok(()),
                    Err(RecvError::Closed) => return None,
                },
                () = self.follower.due() => self.check_visible().await,
            };
            if let Err(error) = checked {
                self.ended = true;
                return Some(Err(error));
            }
        }
        None
    }

    fn shown(&self, chunk: &WaveformChunk) -> Waveform {
        Waveform {
            patient_id: ID(self.patient.to_string()),
            channel: chunk.channel.to_string(),
            started_at: chunk.started_at.into(),
            sample_rate_hz: chunk.waveform.sample_rate_hz,
            unit: chunk.unit.clone(),
            samples: chunk.waveform.samples.iter().copied().map(shortest).collect(),
        }
    }
}
