//! From an accepted socket to a client that is let in, or refused.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use rumqttd::protocol::{
    Connect, ConnectProperties, LastWill, LastWillProperties, Login as Credentials, Packet,
};
use tenants::CorrelationId;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::{
    codec,
    encode::{self, Welcome},
    frame::{self, Scan},
    gate::{Admission, Client, Happened, Login, Refusal},
    hub::Hub,
    metrics::Spoken,
    protocol::{Reason, Version, packet},
    registry::SessionInfo,
    resume,
    session::{
        Opened, farewell,
        outbox::{Limits, Outbox},
        will::Will,
    },
    standing::Standing,
    topics::{Rights, Route},
    transport::Transport,
};

/// Largest CONNECT. It comes from a stranger, so it is bounded more tightly than later packets.
const MAX_CONNECT_BYTES: usize = 64 * 1024;

/// First read of a connection: most CONNECTs fit.
const FIRST_READ_BYTES: usize = 512;

/// Longest client identifier.
const MAX_CLIENT_ID_BYTES: usize = 256;

/// No client that takes smaller packets is served: the CONNACK would not fit, nor would most of what follows.
const MIN_PACKET_BYTES: u32 = 64;

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The client went away before it was answered.
    Gone,
    Timeout,
    /// Not MQTT, or not a CONNECT: closed without a word.
    NotConnect,
    Malformed,
    TooLarge,
    TooSmall,
    UnsupportedVersion,
    AuthMethod,
    WillTopic,
    WillRetain,
    TooManySessions,
    TooManyConnections,
    ShuttingDown,
    By(Refusal),
}

impl Refused {
    const fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Timeout => "timeout",
            Self::NotConnect => "not_connect",
            Self::Malformed => "malformed",
            Self::TooLarge => "packet_too_large",
            Self::TooSmall => "maximum_packet_size",
            Self::UnsupportedVersion => "unsupported_version",
            Self::AuthMethod => "auth_method",
            Self::WillTopic => "will_topic",
            Self::WillRetain => "will_retain",
            Self::TooManySessions => "too_many_sessions",
            Self::TooManyConnections => "too_many_connections",
            Self::ShuttingDown => "shutting_down",
            Self::By(Refusal::BadCredentials) => "bad_credentials",
            Self::By(Refusal::NotAuthorized) => "not_authorized",
            Self::By(Refusal::ClientIdNotValid) => "client_id",
            Self::By(Refusal::Busy) => "busy",
            Self::By(Refusal::Unavailable) => "unavailable",
        }
    }

    /// What a v5 client is told besides, for whoever looks for the mistake: nothing that a stranger could learn from.
    const fn words(self) -> &'static str {
        match self {
            Self::Gone | Self::Timeout | Self::NotConnect => "",
            Self::Malformed => "the CONNECT is not as MQTT writes it",
            Self::TooLarge => "the CONNECT is too large",
            Self::TooSmall => "packets of 64 bytes have to fit",
            Self::UnsupportedVersion => "versions 3.1.1 and 5 are spoken here",
            Self::AuthMethod => "a user name and a password are asked for, no other method",
            Self::WillTopic => "the will's topic is outside the client's rights",
            Self::WillRetain => "the will cannot be retained",
            Self::TooManySessions => "there are as many sessions that are kept as there may be",
            Self::TooManyConnections => {
                "there are as many connections of this client, or of its hospital, as there may be"
            }
            Self::ShuttingDown | Self::By(Refusal::Unavailable) => {
                "the server cannot do this right now; come back in a moment"
            }
            Self::By(Refusal::BadCredentials) => "hospital, user name or password is not right",
            Self::By(Refusal::NotAuthorized) => "this client may not connect now",
            Self::By(Refusal::ClientIdNotValid) => "the client identifier cannot be used",
            Self::By(Refusal::Busy) => "too many attempts; wait before the next",
        }
    }

    /// The code of the CONNACK; `None` closes without one.
    const fn code(self, version: Version) -> Option<u8> {
        let (v311, v5) = match self {
            Self::Gone | Self::Timeout | Self::NotConnect => (None, None),
            Self::Malformed => (None, Some(0x81)),
            Self::TooLarge | Self::TooSmall => (None, Some(0x95)),
            Self::UnsupportedVersion => (Some(1), Some(0x84)),
            Self::AuthMethod => (None, Some(0x8C)),
            Self::WillTopic => (Some(5), Some(0x87)),
            Self::WillRetain => (None, Some(0x9A)),
            Self::TooManySessions | Self::TooManyConnections => (Some(3), Some(0x97)),
            Self::ShuttingDown | Self::By(Refusal::Unavailable) => (Some(3), Some(0x88)),
            Self::By(Refusal::BadCredentials) => (Some(5), Some(0x86)),
            Self::By(Refusal::NotAuthorized) => (Some(5), Some(0x87)),
            Self::By(Refusal::ClientIdNotValid) => (Some(2), Some(0x85)),
            Self::By(Refusal::Busy) => (Some(3), Some(0x89)),
        };
        match version {
            Version::V311 => v311,
            Version::V5 => v5,
        }
    }
}

/// What was decoded from a CONNECT.
struct Request {
    version: Version,
    connect: Connect,
    properties: Option<ConnectProperties>,
    will: Option<(LastWill, Option<LastWillProperties>)>,
    credentials: Option<Credentials>,
    unread: BytesMut,
}

/// Greets a client. `None`: it was refused, told why, and counted.
pub(crate) async fn greet(stream: &mut Transport, peer: SocketAddr, hub: &Arc<Hub>) -> Option<Opened> {
    let correlation = hub.correlations.take(1);
    let (mut version, mut max_bytes) = (Version::V311, usize::MAX);
    let received = timeout(hub.config.connect_timeout, receive(stream, &mut version)).await;
    let opened = match received.unwrap_or(Err(Refused::Timeout)) {
        Ok(request) => {
            let limit = request.properties.as_ref().and_then(|of| of.max_packet_size);
            max_bytes = limit.and_then(|bytes| bytes.try_into().ok()).unwrap_or(usize::MAX);
            open(request, stream, peer, correlation, hub).await
        }
        Err(refused) => Err(refused),
    };
    match opened {
        Ok(opened) => {
            let version = opened.version.label();
            hub.metrics.connects.get_or_create(&Spoken { version }).inc();
            tracing::debug!(%correlation, tenant = %opened.rights.tenant(), version, "mqtt client connected");
            Some(opened)
        }
        Err(refused) => {
            hub.metrics.refused(refused.label());
            if refused == Refused::Gone {
                tracing::debug!(%correlation, %peer, "mqtt connection closed before its CONNECT"); // a port probe
            } else {
                tracing::info!(%correlation, %peer, reason = refused.label(), "mqtt connection refused");
            }
            if let Some(code) = refused.code(version) {
                farewell(stream, &encode::refused(version, code, refused.words(), max_bytes)).await;
            }
            None
        }
    }
}

/// Reads until the CONNECT is whole. Sets `version` as soon as it is known, so that a refusal is said
/// in the client's own.
async fn receive(stream: &mut Transport, version: &mut Version) -> Result<Request, Refused> {
    let mut unread = BytesMut::with_capacity(FIRST_READ_BYTES);
    let whole = loop {
        if stream.read_buf(&mut unread).await.map_err(|_| Refused::Gone)? == 0 {
            return Err(Refused::Gone);
        }
        if unread.first().is_some_and(|first| *first != packet::CONNECT << 4) {
            return Err(Refused::NotConnect);
        }
        match frame::scan(&unread, MAX_CONNECT_BYTES) {
            Ok(Scan::Whole(frame)) => {
                *version = level(unread.get(frame.body.clone()).unwrap_or_default(), version)?;
                break frame.body.end;
            }
            // The buffer doubles: nobody makes us hold what he has not sent.
            Ok(Scan::Part { .. }) if unread.len() == unread.capacity() => unread.reserve(unread.len()),
            Ok(Scan::Part { .. }) => {}
            Err(Reason::PacketTooLarge) => return Err(Refused::TooLarge),
            Err(_) => return Err(Refused::NotConnect),
        }
    };
    let frame = unread.split_to(whole);
    match codec::decode(*version, &frame).map_err(|_| Refused::Malformed)? {
        Packet::Connect(connect, properties, will, of_will, credentials) => {
            let will = will.map(|will| (will, of_will));
            Ok(Request { version: *version, connect, properties, will, credentials, unread })
        }
        _ => Err(Refused::NotConnect),
    }
}

/// The protocol version at the start of a CONNECT's body, and the checks that the codec leaves out.
fn level(body: &[u8], told: &mut Version) -> Result<Version, Refused> {
    const NAME: &[u8] = b"\x00\x04MQTT";
    let Some([level, flags, ..]) = body.strip_prefix(NAME) else {
        let old = body.starts_with(b"\x00\x06MQIsdp"); // MQTT 3.1
        return Err(if old { Refused::UnsupportedVersion } else { Refused::NotConnect });
    };
    let version = match level {
        4 => Version::V311,
        5 => Version::V5,
        6.. => {
            *told = Version::V5;
            return Err(Refused::UnsupportedVersion);
        }
        _ => return Err(Refused::UnsupportedVersion),
    };
    *told = version;
    let (reserved, has_user_name, has_password) = (flags & 1, flags & 0x80, flags & 0x40);
    if reserved != 0 || (version == Version::V311 && has_password != 0 && has_user_name == 0) {
        return Err(Refused::Malformed);
    }
    Ok(version)
}

/// Decides about a CONNECT.
async fn open(
    request: Request,
    stream: &Transport,
    peer: SocketAddr,
    correlation: CorrelationId,
    hub: &Arc<Hub>,
) -> Result<Opened, Refused> {
    check(request.version, &request.connect, request.properties.as_ref())?;
    let client_id = &request.connect.client_id;
    let (user_name, password) = request
        .credentials
        .as_ref()
        .map_or(("", &[][..]), |given| (given.username.as_str(), given.password.as_bytes()));
    let certificates = stream.certificates();
    let login = Login { client_id, user_name, password, certificates, peer, correlation };
    let admission = timeout(hub.config.admit_timeout, hub.gatekeeper.admit(login))
        .await
        .unwrap_or(Err(Refusal::Unavailable))
        .map_err(Refused::By)?;
    let (client_id, version) = (client_id.as_str().into(), request.version.label());
    let carrier = stream.carrier();
    let info = SessionInfo { client_id, peer, carrier, version, since: hub.clock.now() };
    let seated = seat(request, &admission, &info, correlation, hub).await;
    if let Err(refused) = &seated {
        hub.registry.tell(admission.tenant, &admission.client, &info, Happened::Refused, refused.words());
    }
    seated
}

/// Gives who was admitted its session and its seat.
async fn seat(
    request: Request,
    admission: &Admission,
    info: &SessionInfo,
    correlation: CorrelationId,
    hub: &Arc<Hub>,
) -> Result<Opened, Refused> {
    let Request { version, connect, properties, will, credentials: _, unread } = request;
    let rights = Rights::of(admission);
    let will = match will {
        Some((will, properties)) => {
            let route = rights.route(&will.topic);
            let can_be = |route: &Route| !matches!(route, Route::Request(_));
            let route = route.filter(can_be).ok_or(Refused::WillTopic)?;
            if version == Version::V5 && will.retain && !rights.may_retain() {
                return Err(Refused::WillRetain);
            }
            let delay = properties.as_ref().and_then(|of| of.delay_interval).unwrap_or(0);
            let expiry = properties.as_ref().and_then(|of| of.message_expiry_interval);
            Some(Will {
                delay: Duration::from_secs(delay.into()),
                route,
                payload: will.message,
                qos: will.qos.into(),
                retain: will.retain,
                properties: properties.as_ref().map(encode::will_properties).unwrap_or_default(),
                expiry,
            })
        }
        None => None,
    };
    let assigned = connect.client_id.is_empty().then(|| format!("auto-{correlation}"));
    let client_id: Arc<str> = assigned.as_deref().unwrap_or(&connect.client_id).into();
    let properties = properties.as_ref();
    let quotas = admission.quotas.unwrap_or(hub.config.clients);
    let limits = Limits::new(
        (&hub.config, &quotas),
        properties.and_then(|of| of.receive_maximum),
        properties.and_then(|of| of.max_packet_size),
        properties.and_then(|of| of.topic_alias_max),
    );
    if !hub.registry.has_room(admission, (&client_id, info.peer), (&hub.config, &quotas)) {
        return Err(Refused::TooManyConnections);
    }
    let key = (admission.tenant, admission.client.clone(), Arc::clone(&client_id));
    let expiry = match version {
        _ if matches!(admission.client, Client::Newcomer { .. }) => Duration::ZERO,
        Version::V311 if connect.clean_session => Duration::ZERO,
        Version::V311 => hub.config.max_session_expiry,
        Version::V5 => {
            hub.config.session_expiry(properties.and_then(|of| of.session_expiry_interval).unwrap_or(0))
        }
    };
    let resumed = resume::session(hub, &key, connect.clean_session, expiry).await?;
    let session_present = resumed.as_ref().is_some_and(|resumed| resumed.goes_on);
    let (outbox, mailbox, permit) = match resumed {
        Some(resumed) => {
            let outbox = resumed.attach(hub, (version, limits), &rights, expiry).await?;
            (outbox, Some(resumed.mailbox), Some(resumed.permit))
        }
        None => (Arc::new(Outbox::new(version, limits, rights.view())), None, None),
    };
    let info = Arc::new(SessionInfo { client_id, ..info.clone() });
    let seat = hub.registry.enter(admission, info, Arc::clone(&outbox)).ok_or(Refused::ShuttingDown)?;
    let number = mailbox.as_ref().map_or_else(|| seat.number(), |mailbox| mailbox.number);
    let of = (admission.tenant, quotas);
    let standing = Arc::new(Standing::new(Arc::clone(hub), of, number, outbox, mailbox));
    let longest = u16::try_from(hub.config.max_keep_alive.as_secs()).unwrap_or(u16::MAX);
    let told = (version == Version::V5 && connect.keep_alive > longest).then_some(longest);
    let keep_alive = told.unwrap_or(connect.keep_alive);
    let welcome = Welcome {
        session_present,
        assigned_id: assigned.as_deref(),
        session_expiry: u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX),
        keep_alive: told,
        may_retain: rights.may_retain(),
    };
    Ok(Opened {
        version,
        client: admission.client.clone(),
        connack: encode::accepted(version, welcome, &quotas),
        rights,
        seat,
        standing,
        permit,
        keep_alive: (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1_500)),
        will,
        unread,
        correlation,
        valid_for: admission.until.map(|until| hub.until(until)),
    })
}

/// What can be refused without asking anybody.
fn check(version: Version, connect: &Connect, properties: Option<&ConnectProperties>) -> Result<(), Refused> {
    let client_id = &connect.client_id;
    let unusable = client_id.len() > MAX_CLIENT_ID_BYTES || client_id.contains(char::is_control);
    let unnamed = client_id.is_empty() && version == Version::V311 && !connect.clean_session;
    if unusable || unnamed {
        return Err(Refused::By(Refusal::ClientIdNotValid));
    }
    if let Some(properties) = properties {
        if properties.receive_maximum == Some(0) || properties.max_packet_size == Some(0) {
            return Err(Refused::Malformed);
        }
        if properties.max_packet_size.is_some_and(|bytes| bytes < MIN_PACKET_BYTES) {
            return Err(Refused::TooSmall);
        }
        if properties.authentication_method.is_some() {
            return Err(Refused::AuthMethod);
        }
    }
    Ok(())
}
