//! The client of Wharf, written from its API description.
//!
//! It needs the crates `http`, `serde` with the feature `derive`, and `serde_json`. A [`Transport`] sends
//! its requests: the HTTP stack is the caller's choice.

/// Sends a request to the platform and brings its answer. The request's address is a path with a query;
/// the transport knows the host. It follows no redirects.
pub trait Transport {
    type Error;

    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> impl Future<Output = Result<http::Response<Vec<u8>>, Self::Error>> + Send;
}

impl<T: Transport> Transport for &T {
    type Error = T::Error;

    fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> impl Future<Output = Result<http::Response<Vec<u8>>, Self::Error>> + Send {
        T::send(self, request)
    }
}

/// All functions of the platform.
#[derive(Clone, Debug)]
pub struct Wharf<T> {
    transport: T,
    token: Option<String>,
}

/// Why an operation has no result.
#[derive(Debug)]
pub enum Error<E> {
    /// The platform refused.
    Refused(Box<Refusal>),
    /// No answer came.
    Transport(E),
    /// The request cannot be written, as with a line break in a header.
    Request(String),
    /// The answer is of another shape than the description says.
    Answer(serde_json::Error),
}

/// A refusal of the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: Code,
    pub detail: String,
    /// To be quoted when the problem is reported.
    pub request_id: Option<String>,
    /// The whole answer: older contracts have members of their own.
    pub body: serde_json::Value,
}

impl Refusal {
    fn read(status: u16, body: &[u8]) -> Self {
        let body: serde_json::Value = serde_json::from_slice(body)
            .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into());
        let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
        let nested = |name: &str| body.get("error").and_then(|it| it.get(name)).map(plain);
        let code = text("code").map(str::to_owned).or_else(|| nested("code"));
        let code = code.unwrap_or_else(|| "unknown".to_owned());
        let detail = text("detail").or_else(|| text("title")).map(str::to_owned);
        Self {
            status,
            code: serde_json::from_value(code.clone().into()).unwrap_or(Code::Other(code)),
            detail: detail.or_else(|| nested("message")).unwrap_or_default(),
            request_id: text("request_id").map(str::to_owned),
            body,
        }
    }
}

impl<E: std::fmt::Display> std::fmt::Display for Error<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(it) => write!(f, "{} ({}, {:?})", it.detail, it.status, it.code),
            Self::Transport(error) => write!(f, "no answer: {error}"),
            Self::Request(error) => write!(f, "not a request: {error}"),
            Self::Answer(error) => write!(f, "not the answer that is described: {error}"),
        }
    }
}

impl<E: std::fmt::Debug + std::fmt::Display> std::error::Error for Error<E> {}

impl<T: Transport> Wharf<T> {
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            token: None,
        }
    }

    /// Requests in the name of the token's bearer.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    async fn send(&self, call: Call) -> Result<http::Response<Vec<u8>>, Error<T::Error>> {
        let address = match call.query.as_str() {
            "" => call.path,
            query => format!("{}?{query}", call.path),
        };
        let mut request = http::Request::builder().method(call.method).uri(address);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(media_type) = call.media_type {
            request = request.header("content-type", media_type);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let request = request
            .header("accept", call.accept)
            .body(call.body)
            .map_err(|it| Error::Request(it.to_string()))?;
        let response = self
            .transport
            .send(request)
            .await
            .map_err(Error::Transport)?;
        let status = response.status().as_u16();
        if status >= 400 {
            let refusal = Refusal::read(status, response.body());
            return Err(Error::Refused(Box::new(refusal)));
        }
        Ok(response)
    }
}

/// A request in the making.
struct Call {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    accept: &'static str,
    media_type: Option<&'static str>,
    body: Vec<u8>,
}

// Which of these are called depends on the description.
#[allow(dead_code)]
impl Call {
    fn new(method: &'static str, path: String, accept: &'static str) -> Self {
        Self {
            method,
            path,
            query: String::new(),
            headers: Vec::new(),
            accept,
            media_type: None,
            body: Vec::new(),
        }
    }

    fn query(mut self, query: &impl serde::Serialize) -> Self {
        self.query = pairs(query);
        self
    }

    fn header(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.headers.extend(value.map(|it| (name, it.to_owned())));
        self
    }

    fn json(self, body: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        self.content("application/json", body)
    }

    fn form(self, body: &impl serde::Serialize) -> Self {
        let body = pairs(body).into_bytes();
        self.content("application/x-www-form-urlencoded", body)
    }

    fn content(mut self, media_type: &'static str, body: Vec<u8>) -> Self {
        self.media_type = Some(media_type);
        self.body = body;
        self
    }
}

/// How the body of a success is read. Which of these are called depends on the description.
#[allow(dead_code)]
mod read {
    use super::Error;

    pub type Response = http::Response<Vec<u8>>;

    pub fn nothing<E>(_: Response) -> Result<(), Error<E>> {
        Ok(())
    }

    pub fn json<T: serde::de::DeserializeOwned, E>(response: Response) -> Result<T, Error<E>> {
        serde_json::from_slice(response.body()).map_err(Error::Answer)
    }

    pub fn text<E>(response: Response) -> Result<String, Error<E>> {
        Ok(String::from_utf8_lossy(response.body()).into_owned())
    }

    pub fn bytes<E>(response: Response) -> Result<Vec<u8>, Error<E>> {
        Ok(response.into_body())
    }
}

/// `name=value&…` of every member that is there; a list is its name several times.
fn pairs(values: &impl serde::Serialize) -> String {
    let values = serde_json::to_value(values).unwrap_or_default();
    let members = values.as_object().into_iter().flatten();
    let mut pairs = Vec::new();
    for (name, value) in members {
        let one = std::slice::from_ref(value);
        for value in value.as_array().map_or(one, Vec::as_slice) {
            if !value.is_null() {
                pairs.push(format!("{}={}", encoded(name), encoded(&plain(value))));
            }
        }
    }
    pairs.join("&")
}

/// A value as a segment of a path.
fn segment(value: &(impl serde::Serialize + ?Sized)) -> String {
    encoded(&plain(&serde_json::to_value(value).unwrap_or_default()))
}

/// A text without its quotes; everything else as JSON writes it.
fn plain(value: &serde_json::Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
