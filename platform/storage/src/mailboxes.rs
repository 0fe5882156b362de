//! What outlives a connection of MQTT: sessions, the messages that wait for them, and retained messages.

use ::tenants::{
    MailboxId, StoreError, TenantId,
    messaging::{Kept, Mailbox, MailboxChange, Mailboxes, Publications, Received, Share},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use sea_orm::{DbBackend, QueryResult, Value};
use uuid::Uuid;

use crate::{
    columns::{micros, timestamp},
    commit::check_fence,
    database::Database,
    errors::StorageError,
    tenant_tx::TenantTx,
};

/// Tenants whose rows PostgreSQL commits at the same time.
const TENANTS_AT_ONCE: usize = 4;
/// Rows of the publication log that one statement reads.
const ROWS_AT_ONCE: i64 = 16;

#[async_trait::async_trait]
impl Mailboxes for Database {
    async fn kept(&self) -> Result<Vec<(TenantId, Kept)>, StoreError> {
        let mut all = Vec::new();
        for tenant in self.hospitals().await? {
            all.push((tenant.id, kept(&self.begin_read(tenant.id).await?).await?));
        }
        Ok(all)
    }

    async fn keep(&self, shares: &[(TenantId, Share)]) -> Result<(), StoreError> {
        Ok(keep(self, shares).await?)
    }

    async fn publications(
        &self,
        tenant: TenantId,
        after: u64,
        bytes: usize,
    ) -> Result<Vec<Publications>, StoreError> {
        Ok(publications(&self.begin_read(tenant).await?, after, bytes).await?)
    }

    async fn trim(&self, tenant: TenantId, until: u64) -> Result<(), StoreError> {
        let epoch = self.epoch()?;
        let tx = self.begin_write(tenant).await?;
        check_fence(&tx, epoch).await?;
        let sql = "DELETE FROM publications WHERE tenant_id = $1 AND last_position <= $2
            AND last_position < (SELECT MAX(last_position) FROM publications WHERE tenant_id = $1)";
        tx.execute_sql(sql, [own(&tx), whole(until)]).await?;
        Ok(tx.commit().await?)
    }
}

/// On SQLite in one transaction for all tenants, on PostgreSQL in one for each.
async fn keep(database: &Database, shares: &[(TenantId, Share)]) -> Result<(), StorageError> {
    let epoch = database.epoch()?;
    if database.backend() == DbBackend::Postgres {
        let writes: Vec<_> =
            shares.iter().map(|(tenant, share)| write_alone(database, epoch, *tenant, share)).collect();
        return stream::iter(writes).buffer_unordered(TENANTS_AT_ONCE).try_collect().await;
    }
    let mut tx = database.begin_write(TenantId::PLATFORM).await?;
    check_fence(&tx, epoch).await?;
    for (tenant, share) in shares {
        tx.turn_to(*tenant);
        write(&tx, share).await?;
    }
    tx.commit().await
}

async fn write_alone(
    database: &Database,
    epoch: i64,
    tenant: TenantId,
    share: &Share,
) -> Result<(), StorageError> {
    let tx = database.begin_write(tenant).await?;
    check_fence(&tx, epoch).await?;
    write(&tx, share).await?;
    tx.commit().await
}

async fn write(tx: &TenantTx, share: &Share) -> Result<(), StorageError> {
    if let Some(Publications { first, last, messages }) = &share.publications {
        let sql = "INSERT INTO publications (tenant_id, first_position, last_position, messages)
            VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        tx.execute_sql(sql, [own(tx), whole(*first), whole(*last), messages.clone().into()]).await?;
    }
    for (topic, message) in &share.retained {
        match message {
            Some(message) => {
                let sql = "INSERT INTO retained (tenant_id, topic, message) VALUES ($1, $2, $3)
                    ON CONFLICT (tenant_id, topic) DO UPDATE SET message = excluded.message";
                tx.execute_sql(sql, [own(tx), topic.into(), message.clone().into()]).await?;
            }
            None => {
                let sql = "DELETE FROM retained WHERE tenant_id = $1 AND topic = $2";
                tx.execute_sql(sql, [own(tx), topic.into()]).await?;
            }
        }
    }
    for change in &share.mailboxes {
        change_mailbox(tx, change).await?;
    }
    receive(tx, &share.received).await?;
    for released in &share.released {
        let sql = "DELETE FROM mailbox_received WHERE tenant_id = $1 AND mailbox_id = $2 AND packet_id = $3";
        tx.execute_sql(sql, packet(tx, released)).await?;
    }
    Ok(())
}

/// Writes packet identifiers with the messages that they came with.
pub(crate) async fn receive(tx: &TenantTx, received: &[Received]) -> Result<(), StorageError> {
    for received in received {
        let sql = "INSERT INTO mailbox_received (tenant_id, mailbox_id, packet_id) VALUES ($1, $2, $3)
            ON CONFLICT DO NOTHING";
        tx.execute_sql(sql, packet(tx, received)).await?;
    }
    Ok(())
}

async fn change_mailbox(tx: &TenantTx, change: &MailboxChange) -> Result<(), StorageError> {
    match change {
        MailboxChange::Put(mailbox) => {
            let sql = "INSERT INTO mailboxes (tenant_id, id, owner, client_id, left_at, standing, flight)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (tenant_id, id) DO UPDATE SET
                    left_at = excluded.left_at, standing = excluded.standing, flight = excluded.flight";
            let Mailbox { id, owner, client_id, left_at, standing, flight } = mailbox;
            let values = [
                own(tx),
                key(*id),
                owner.into(),
                client_id.into(),
                left_at.map(micros).into(),
                standing.clone().into(),
                flight.clone().into(),
            ];
            tx.execute_sql(sql, values).await?;
        }
        MailboxChange::Flight { id, flight } => {
            let sql = "UPDATE mailboxes SET flight = $3 WHERE tenant_id = $1 AND id = $2";
            tx.execute_sql(sql, [own(tx), key(*id), flight.clone().into()]).await?;
        }
        MailboxChange::Gone(id) => {
            for sql in [
                "DELETE FROM mailbox_received WHERE tenant_id = $1 AND mailbox_id = $2",
                "DELETE FROM mailboxes WHERE tenant_id = $1 AND id = $2",
            ] {
                tx.execute_sql(sql, [own(tx), key(*id)]).await?;
            }
        }
    }
    Ok(())
}

async fn kept(tx: &TenantTx) -> Result<Kept, StorageError> {
    let sql = "SELECT MAX(last_position) FROM publications WHERE tenant_id = $1";
    let head = tx.query_sql(sql, [own(tx)]).await?;
    let head = head.first().map(|row| row.try_get_by_index::<Option<i64>>(0)).transpose()?.flatten();
    let sql = "SELECT id, owner, client_id, left_at, standing, flight FROM mailboxes
        WHERE tenant_id = $1 ORDER BY id";
    let mailboxes = tx.query_sql(sql, [own(tx)]).await?.iter().map(mailbox).collect::<Result<_, _>>()?;
    let sql = "SELECT mailbox_id, packet_id FROM mailbox_received WHERE tenant_id = $1
        ORDER BY mailbox_id, packet_id";
    let received = tx.query_sql(sql, [own(tx)]).await?.iter().map(received).collect::<Result<_, _>>()?;
    let sql = "SELECT topic, message FROM retained WHERE tenant_id = $1 ORDER BY topic";
    let retained = tx.query_sql(sql, [own(tx)]).await?;
    let retained = retained.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    let retained = retained.collect::<Result<_, StorageError>>()?;
    Ok(Kept { head: position(head.unwrap_or(0))?, mailboxes, received, retained })
}

fn mailbox(row: &QueryResult) -> Result<Mailbox, StorageError> {
    let left_at: Option<i64> = row.try_get_by_index(3)?;
    Ok(Mailbox {
        id: MailboxId::from_uuid(row.try_get_by_index(0)?),
        owner: row.try_get_by_index(1)?,
        client_id: row.try_get_by_index(2)?,
        left_at: left_at.map(timestamp).transpose()?,
        standing: row.try_get_by_index(4)?,
        flight: row.try_get_by_index(5)?,
    })
}

fn received(row: &QueryResult) -> Result<Received, StorageError> {
    let mailbox = MailboxId::from_uuid(row.try_get_by_index::<Uuid>(0)?);
    let packet_id = u16::try_from(row.try_get_by_index::<i64>(1)?);
    Ok(Received { mailbox, packet_id: packet_id.map_err(|_| StorageError::corrupt("a packet identifier"))? })
}

async fn publications(tx: &TenantTx, after: u64, bytes: usize) -> Result<Vec<Publications>, StorageError> {
    let (mut found, mut place, mut size) = (Vec::new(), after, 0);
    let sql = "SELECT first_position, last_position, messages FROM publications
        WHERE tenant_id = $1 AND last_position > $2 ORDER BY last_position LIMIT $3";
    loop {
        let rows = tx.query_sql(sql, [own(tx), whole(place), ROWS_AT_ONCE.into()]).await?;
        for row in &rows {
            let [first, last] = [row.try_get_by_index(0)?, row.try_get_by_index(1)?];
            let publications = Publications {
                first: position(first)?,
                last: position(last)?,
                messages: row.try_get_by_index(2)?,
            };
            (place, size) = (publications.last, size + publications.messages.len());
            found.push(publications);
            if size >= bytes {
                return Ok(found);
            }
        }
        if rows.is_empty() {
            return Ok(found);
        }
    }
}

fn packet(tx: &TenantTx, received: &Received) -> [Value; 3] {
    [own(tx), key(received.mailbox), i64::from(received.packet_id).into()]
}

fn own(tx: &TenantTx) -> Value {
    (*tx.tenant().as_uuid()).into()
}

fn key(id: MailboxId) -> Value {
    (*id.as_uuid()).into()
}

fn whole(position: u64) -> Value {
    i64::try_from(position).unwrap_or(i64::MAX).into()
}

fn position(stored: i64) -> Result<u64, StorageError> {
    u64::try_from(stored).map_err(|_| StorageError::corrupt("a negative position of a message"))
}
