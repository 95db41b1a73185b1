//! The roles that this component's handlers ask for.

kit::holders! {
    /// A caller who parks.
    Driver: Driver;
    /// A caller who offers parking places.
    Owner: Owner;
}
