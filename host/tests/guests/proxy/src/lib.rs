//! A component with the older interface `wasi:http/incoming-handler@0.2`.

use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

wasip2::http::proxy::export!(Proxy);

struct Proxy;

impl wasip2::exports::http::incoming_handler::Guest for Proxy {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let answer = OutgoingResponse::new(Fields::new());
        let body = answer.body().expect("a fresh response has a body");
        ResponseOutparam::set(out, Ok(answer));
        let stream = body.write().expect("a fresh body can be written");
        stream
            .blocking_write_and_flush(format!("0.2 {path}\n").as_bytes())
            .expect("the client listens");
        drop(stream);
        OutgoingBody::finish(body, None).expect("the body is complete");
    }
}
