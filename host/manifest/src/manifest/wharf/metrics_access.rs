//! `[application.tool.wharf.metrics_access]`: who may read the metrics. Without it every client may.

use crate::document::Table;
use crate::template::Template;

use super::super::context::Context;
use super::read_networks;

/// A client needs one of them: an address in these networks, or the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsAccess {
    /// Lists of networks, separated by spaces or commas.
    pub networks: Vec<Template>,
    /// Sent as `Authorization: Bearer <token>`. An empty token admits no client.
    pub token: Option<Template>,
}

impl MetricsAccess {
    pub(super) fn read(context: &Context, table: &Table) -> MetricsAccess {
        let networks = table.texts("networks");
        let networks = networks
            .iter()
            .filter_map(|text| read_networks(context, text));
        let access = MetricsAccess {
            networks: networks.collect(),
            token: table
                .text("token")
                .and_then(|token| context.template(&token)),
        };
        table.refuse_unknown_keys();
        access
    }
}
