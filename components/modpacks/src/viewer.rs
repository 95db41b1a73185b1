//! The viewer of packs: a caller, a friend with a link, or anyone.

use kit::identity::Caller;
use kit::store::ParameterValue;
use uuid::Uuid;

/// The viewer, as the SQL function `level` needs it.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    id: Option<Uuid>,
    roles: Vec<String>,
    /// The digest of a friend's link.
    link: Option<String>,
}

/// The role of everyone who is signed in.
pub const SIGNED_IN: &str = "user";

impl Viewer {
    /// The owner of a pack, for acts in their name.
    pub fn of(owner: Uuid) -> Self {
        Self {
            id: Some(owner),
            ..Self::default()
        }
    }

    /// The viewer with a friend's link and nothing else.
    pub fn with_link(secret: &str) -> Self {
        Self {
            link: Some(crate::digest::hex_sha256(secret.as_bytes())),
            ..Self::default()
        }
    }

    /// The parameters `viewer, roles` of the schema's functions.
    pub fn caller_params(&self) -> [ParameterValue; 2] {
        use kit::store::Param;
        [self.id.param(), self.roles.clone().param()]
    }

    /// The parameters `viewer, roles, link`.
    pub fn params(&self) -> [ParameterValue; 3] {
        use kit::store::Param;
        let [id, roles] = self.caller_params();
        [id, roles, self.link.clone().param()]
    }
}

impl From<&Caller> for Viewer {
    fn from(caller: &Caller) -> Self {
        let mut roles = caller.roles.names();
        roles.push(SIGNED_IN.to_owned());
        Self {
            id: Some(caller.id),
            roles,
            link: None,
        }
    }
}

impl From<Option<Caller>> for Viewer {
    fn from(caller: Option<Caller>) -> Self {
        caller.as_ref().map(Self::from).unwrap_or_default()
    }
}
