//! Pages of a list.

use async_graphql::{ComplexObject, SimpleObject};
use twins::store::directory::{DeviceRecord, Page, PatientRecord};

use super::{
    Alarm, AuditEntry, Device, Elevation, ElevationNow, NamedEntry, NamedOpening, Patient, PatientAccess,
    RecordOpening,
};
use crate::errors::{ApiError, Result};

/// Where a page ends.
#[derive(SimpleObject)]
pub(crate) struct PageInfo {
    has_next_page: bool,
    /// To be given as `after` for the next page; null when the page is empty.
    end_cursor: Option<String>,
}

macro_rules! connections {
    ($($connection:ident of $edge:ident of $node:ident from $row:ty;)+) => {$(
        #[derive(SimpleObject)]
        pub(crate) struct $edge {
            /// To be given as `after` for what follows.
            cursor: String,
            node: $node,
        }

        #[derive(SimpleObject)]
        #[graphql(complex)]
        pub(crate) struct $connection {
            edges: Vec<$edge>,
            nodes: Vec<$node>,
            page_info: PageInfo,
            #[graphql(skip)]
            total: Option<u64>,
        }

        #[ComplexObject]
        impl $connection {
            /// With the filter and the search applied. Asking for it looks at every row of the list.
            async fn total_count(&self) -> Result<u64> {
                self.total.ok_or_else(|| ApiError::internal("the list was not counted"))
            }
        }

        impl From<Page<$row>> for $connection {
            fn from(page: Page<$row>) -> Self {
                let end_cursor = page.rows.last().map(|(cursor, _)| cursor.clone());
                let edges: Vec<_> =
                    page.rows.into_iter().map(|(cursor, row)| $edge { cursor, node: row.into() }).collect();
                Self {
                    nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
                    edges,
                    page_info: PageInfo { has_next_page: page.has_next, end_cursor },
                    total: page.total,
                }
            }
        }
    )+};
}

connections! {
    DeviceConnection of DeviceEdge of Device from DeviceRecord;
    PatientConnection of PatientEdge of Patient from PatientRecord;
    AlarmConnection of AlarmEdge of Alarm from care::Alarm;
    AuditConnection of AuditEdge of AuditEntry from NamedEntry;
    PatientAccessConnection of PatientAccessEdge of PatientAccess from NamedEntry;
    ElevationConnection of ElevationEdge of Elevation from ElevationNow;
    OpeningConnection of OpeningEdge of RecordOpening from NamedOpening;
}
