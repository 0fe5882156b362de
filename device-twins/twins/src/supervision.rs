//! Runs an actor so that a panic in a handler does not end it.
//!
//! actix's own supervisor dies with its actor when a handler panics. This one catches the panic, waits a
//! little, and calls [`actix::Supervised::restarting`], which must load the state anew. Address and queued
//! messages survive; the message that panicked is lost to the actor, which is why it must already be in
//! the log.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context as Task, Poll, ready},
    time::Duration,
};

use actix::{
    Actor, Addr, ArbiterHandle, Context, Supervised,
    dev::{ContextFut, channel},
};
use tokio::time::{Sleep, sleep};

use crate::metrics::TwinMetrics;

/// First pause before a restart; doubles with each restart in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Starts `make()` on an arbiter, supervised. `mailbox` bounds `try_send` and `send`; what is sent with
/// `do_send` must be bounded by the sender.
pub(crate) fn start<A, F>(arbiter: &ArbiterHandle, mailbox: usize, metrics: TwinMetrics, make: F) -> Addr<A>
where
    A: Supervised + Actor<Context = Context<A>>,
    F: FnOnce() -> A + Send + 'static,
{
    let (sender, receiver) = channel::channel(mailbox);
    let started = arbiter.spawn_fn(move || {
        let actor = Context::with_receiver(receiver).into_future(make());
        actix::spawn(Supervision { actor, restarts: 0, pause: None, metrics });
    });
    if !started {
        // The arbiter has stopped: the platform shuts down, and every send to this address will fail.
        tracing::warn!("an actor was asked for after its arbiter had stopped");
    }
    Addr::new(sender)
}

struct Supervision<A: Supervised + Actor<Context = Context<A>>> {
    actor: ContextFut<A, Context<A>>,
    restarts: u32,
    pause: Option<Pin<Box<Sleep>>>,
    metrics: TwinMetrics,
}

impl<A: Supervised + Actor<Context = Context<A>>> Supervision<A> {
    fn note_panic(&mut self, panic: &(dyn Any + Send)) {
        self.metrics.panics.inc();
        tracing::error!(
            actor = std::any::type_name::<A>(),
            restarts = self.restarts,
            panic = panic_text(panic),
            "a handler panicked; the actor is restarted from its log"
        );
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.restarts)).min(LONGEST_PAUSE);
        self.restarts = self.restarts.saturating_add(1);
        self.pause = Some(Box::pin(sleep(pause)));
    }
}

impl<A: Supervised + Actor<Context = Context<A>> + Unpin> Future for Supervision<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(task));
                this.pause = None;
                match catch_unwind(AssertUnwindSafe(|| this.actor.restart())) {
                    Ok(true) => {}
                    Ok(false) => return Poll::Ready(()),
                    Err(panic) => {
                        this.note_panic(&*panic);
                        continue;
                    }
                }
            }
            match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.actor).poll(task))) {
                Ok(done) => return done,
                Err(panic) => this.note_panic(&*panic),
            }
        }
    }
}

/// The text of a panic, if it has one. A panic's text is made by code, not by payloads.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    };

    use actix::{Arbiter, Handler, Message};

    use super::*;

    #[derive(Message)]
    #[rtype(result = "u32")]
    struct Add(u32);

    struct Adder {
        sum: u32,
        restarts: Arc<AtomicU32>,
    }
    impl Actor for Adder {
        type Context = Context<Self>;
    }
    impl Supervised for Adder {
        fn restarting(&mut self, _: &mut Context<Self>) {
            self.restarts.fetch_add(1, SeqCst);
        }
    }
    impl Handler<Add> for Adder {
        type Result = u32;
        fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u32 {
            assert_ne!(n, 13, "unlucky");
            self.sum += n;
            self.sum
        }
    }

    #[actix::test]
    async fn messages_queued_behind_a_panic_are_handled_and_siblings_notice_nothing() {
        let arbiter = Arbiter::new();
        let restarts = Arc::new(AtomicU32::new(0));
        let start_adder = |restarts: &Arc<AtomicU32>| {
            let restarts = restarts.clone();
            start(&arbiter.handle(), 16, TwinMetrics::default(), move || Adder { sum: 0, restarts })
        };
        let sibling_restarts = Arc::new(AtomicU32::new(0));
        let (unlucky, sibling) = (start_adder(&restarts), start_adder(&sibling_restarts));
        for n in [1, 13, 2, 13, 3] {
            unlucky.do_send(Add(n));
            sibling.do_send(Add(1));
        }
        assert_eq!(unlucky.send(Add(4)).await, Ok(10));
        assert_eq!(sibling.send(Add(1)).await, Ok(6));
        assert_eq!((restarts.load(SeqCst), sibling_restarts.load(SeqCst)), (2, 0));
        arbiter.stop();
    }
}
