//! The roles that this component's handlers ask for. The rights of a caller in a zone are decided in SQL.

kit::holders! {
    /// A caller who may found a zone.
    Founder: ZoneAdmin | Admin;
}
