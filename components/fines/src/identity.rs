//! The roles that this component's handlers ask for. What a caller may do in a zone is decided in SQL.

kit::holders! {
    /// A caller who may found a zone.
    Founder: ZoneAdmin | Admin;
}
