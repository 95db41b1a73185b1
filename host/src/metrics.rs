//! Metrics in Prometheus' text format. Counting is an atomic add on a meter looked up at start. The manifest determines
//! the number of series; client input never does.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};

/// Upper bounds in microseconds: from a warm hello world to a request that waits for a password hash.
const BUCKETS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];

const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "OTHER",
];

/// Statuses 400 to 599.
const ERRORS: usize = 200;

/// Responses on one route of the manifest.
pub struct RouteMeter {
    component: String,
    route: String,
    methods: [AtomicU64; METHODS.len()],
    errors: [AtomicU64; ERRORS],
    durations: [AtomicU64; BUCKETS_US.len()],
    duration_sum_us: AtomicU64,
    responses: AtomicU64,
}

impl RouteMeter {
    fn new(component: &str, route: &str) -> Self {
        Self {
            component: component.to_owned(),
            route: route.to_owned(),
            methods: [const { AtomicU64::new(0) }; METHODS.len()],
            errors: [const { AtomicU64::new(0) }; ERRORS],
            durations: [const { AtomicU64::new(0) }; BUCKETS_US.len()],
            duration_sum_us: AtomicU64::new(0),
            responses: AtomicU64::new(0),
        }
    }

    pub fn component(&self) -> &str {
        &self.component
    }

    pub fn route(&self) -> &str {
        &self.route
    }

    pub fn record(&self, method: &Method, status: StatusCode, took: Duration) {
        let index = METHODS.iter().position(|name| *name == method.as_str());
        if let Some(count) = self.methods.get(index.unwrap_or(METHODS.len() - 1)) {
            count.fetch_add(1, Relaxed);
        }
        let error = usize::from(status.as_u16()).checked_sub(400);
        if let Some(count) = error.and_then(|index| self.errors.get(index)) {
            count.fetch_add(1, Relaxed);
        }
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_US.partition_point(|bound| *bound < took_us);
        if let Some(count) = self.durations.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        self.duration_sum_us.fetch_add(took_us, Relaxed);
        self.responses.fetch_add(1, Relaxed);
    }
}

/// Instances and messages of one component.
#[derive(Default)]
pub struct ComponentMeter {
    pub instances: AtomicI64,
    pub instances_started: AtomicU64,
    pub instances_failed: AtomicU64,
    /// Requests and messages that waited for a permit, and their total wait.
    pub waits: AtomicU64,
    pub wait_us: AtomicU64,
    pub refused_busy: AtomicU64,
    pub messages: AtomicU64,
    pub messages_failed: AtomicU64,
    /// Messages that were dropped because the queue was full.
    pub messages_dropped: AtomicU64,
}

impl ComponentMeter {
    pub fn record_wait(&self, time: Duration) {
        self.waits.fetch_add(1, Relaxed);
        self.wait_us
            .fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

pub struct Metrics {
    started: Instant,
    routes: Vec<Arc<RouteMeter>>,
    components: Vec<(String, Arc<ComponentMeter>)>,
    pub connections: AtomicI64,
    pub connections_refused: AtomicU64,
    pub redis_connected: AtomicI64,
    pub redis_reconnects: AtomicU64,
}

impl Metrics {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            routes: Vec::new(),
            components: Vec::new(),
            connections: AtomicI64::new(0),
            connections_refused: AtomicU64::new(0),
            redis_connected: AtomicI64::new(0),
            redis_reconnects: AtomicU64::new(0),
        }
    }

    /// Adds the meter of a route; an empty component means the host itself.
    pub fn add_route(&mut self, component: &str, route: &str) -> Arc<RouteMeter> {
        let meter = Arc::new(RouteMeter::new(component, route));
        self.routes.push(meter.clone());
        meter
    }

    pub fn add_component(&mut self, id: &str) -> Arc<ComponentMeter> {
        let meter = Arc::new(ComponentMeter::default());
        self.components.push((id.to_owned(), meter.clone()));
        meter
    }

    /// All metrics, in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = Text(String::with_capacity(16 << 10));
        self.write(&mut text);
        text.0
    }

    fn write(&self, text: &mut Text) {
        text.family("http_requests_total", "counter", "Responses sent.");
        for route in &self.routes {
            for (method, count) in METHODS.iter().zip(&route.methods) {
                text.count(
                    "http_requests_total",
                    &[
                        ("component", &route.component),
                        ("method", method),
                        ("route", &route.route),
                    ],
                    count.load(Relaxed),
                );
            }
        }
        text.family(
            "http_request_duration_seconds",
            "histogram",
            "From the head of the request to the end of the response.",
        );
        for route in &self.routes {
            text.histogram("http_request_duration_seconds", route);
        }
        // Two names for the same metric, so that dashboards for either work.
        for name in ["http_error_responses_total", "http_requests_errors_total"] {
            text.family(name, "counter", "Responses with a status of 400 or more.");
            for route in &self.routes {
                for (status, count) in (400_u16..).zip(&route.errors) {
                    text.count(
                        name,
                        &[
                            ("component", &route.component),
                            ("route", &route.route),
                            ("status", &status.to_string()),
                        ],
                        count.load(Relaxed),
                    );
                }
            }
        }
        self.write_components(text);
        self.write_host(text);
    }

    fn write_components(&self, text: &mut Text) {
        type Reading = fn(&ComponentMeter) -> f64;
        let families: [(&str, &str, &str, Reading); 9] = [
            ("wharf_instances", "gauge", "Instances alive.", |m| {
                m.instances.load(Relaxed) as f64
            }),
            (
                "wharf_instances_started_total",
                "counter",
                "Instances started.",
                |m| m.instances_started.load(Relaxed) as f64,
            ),
            (
                "wharf_instances_failed_total",
                "counter",
                "Instances that trapped or ran out of time.",
                |m| m.instances_failed.load(Relaxed) as f64,
            ),
            (
                "wharf_pool_waits_total",
                "counter",
                "Requests that waited for a free instance, or outside until no statement waited for a connection to the database.",
                |m| m.waits.load(Relaxed) as f64,
            ),
            (
                "wharf_pool_wait_seconds_total",
                "counter",
                "Time that these requests waited.",
                |m| m.wait_us.load(Relaxed) as f64 / 1e6,
            ),
            (
                "wharf_refused_busy_total",
                "counter",
                "Requests refused because no instance became free.",
                |m| m.refused_busy.load(Relaxed) as f64,
            ),
            (
                "wharf_messages_total",
                "counter",
                "Redis messages and ticks delivered.",
                |m| m.messages.load(Relaxed) as f64,
            ),
            (
                "wharf_messages_failed_total",
                "counter",
                "Deliveries that failed.",
                |m| m.messages_failed.load(Relaxed) as f64,
            ),
            (
                "wharf_messages_dropped_total",
                "counter",
                "Messages dropped because the queue was full.",
                |m| m.messages_dropped.load(Relaxed) as f64,
            ),
        ];
        for (name, kind, help, read) in families {
            text.family(name, kind, help);
            for (id, meter) in &self.components {
                text.value(name, &[("component", id)], read(meter));
            }
        }
    }

    fn write_host(&self, text: &mut Text) {
        text.family("wharf_connections", "gauge", "HTTP connections open.");
        text.value(
            "wharf_connections",
            &[],
            self.connections.load(Relaxed) as f64,
        );
        text.family(
            "wharf_connections_refused_total",
            "counter",
            "HTTP connections beyond the limits.",
        );
        text.value(
            "wharf_connections_refused_total",
            &[],
            self.connections_refused.load(Relaxed) as f64,
        );
        text.family(
            "wharf_redis_subscriptions_connected",
            "gauge",
            "Redis servers with a working subscription.",
        );
        text.value(
            "wharf_redis_subscriptions_connected",
            &[],
            self.redis_connected.load(Relaxed) as f64,
        );
        text.family(
            "wharf_redis_reconnects_total",
            "counter",
            "Times a Redis subscription was lost.",
        );
        text.value(
            "wharf_redis_reconnects_total",
            &[],
            self.redis_reconnects.load(Relaxed) as f64,
        );
        text.family(
            "wharf_uptime_seconds",
            "gauge",
            "Time since this host started.",
        );
        text.value(
            "wharf_uptime_seconds",
            &[],
            self.started.elapsed().as_secs_f64(),
        );
        text.family("wharf_build_info", "gauge", "Version of this host.");
        text.value(
            "wharf_build_info",
            &[("version", env!("CARGO_PKG_VERSION"))],
            1.0,
        );
    }
}

/// Builds Prometheus text. Writing to a `String` cannot fail, so results are dropped.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Omits counters at zero: most routes never see most methods and statuses.
    fn count(&mut self, name: &str, labels: &[(&str, &str)], count: u64) {
        if count > 0 {
            let _ = writeln!(self.0, "{name}{} {count}", Labels(labels));
        }
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let _ = writeln!(self.0, "{name}{} {value}", Labels(labels));
    }

    fn histogram(&mut self, name: &str, route: &RouteMeter) {
        let responses = route.responses.load(Relaxed);
        if responses == 0 {
            return;
        }
        let labels = [
            ("component", route.component.as_str()),
            ("route", route.route.as_str()),
        ];
        let [component, path] = labels;
        let mut cumulative = 0;
        for (bound, count) in BUCKETS_US.iter().zip(&route.durations) {
            cumulative += count.load(Relaxed);
            let bound = (*bound as f64 / 1e6).to_string();
            let _ = writeln!(
                self.0,
                "{name}_bucket{} {cumulative}",
                Labels(&[component, path, ("le", &bound)])
            );
        }
        let _ = writeln!(
            self.0,
            "{name}_bucket{} {responses}",
            Labels(&[component, path, ("le", "+Inf")])
        );
        let sum = route.duration_sum_us.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(
            self.0,
            "{name}_sum{} {sum}\n{name}_count{} {responses}",
            Labels(&labels),
            Labels(&labels)
        );
    }
}

struct Labels<'a>(&'a [(&'a str, &'a str)]);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut opening = '{';
        for (name, value) in self.0 {
            write!(f, "{opening}{name}=\"")?;
            for character in value.chars() {
                match character {
                    '"' => f.write_str("\\\"")?,
                    '\\' => f.write_str("\\\\")?,
                    '\n' => f.write_str("\\n")?,
                    other => f.write_char(other)?,
                }
            }
            f.write_char('"')?;
            opening = ',';
        }
        if self.0.is_empty() {
            Ok(())
        } else {
            f.write_char('}')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_responses_appear_in_the_text() {
        let mut metrics = Metrics::new();
        let route = metrics.add_route("shop", "/shop/...");
        metrics.add_component("shop");
        route.record(&Method::GET, StatusCode::OK, Duration::from_micros(300));
        route.record(&Method::POST, StatusCode::CONFLICT, Duration::from_secs(9));
        let text = metrics.text();
        for line in [
            r#"http_requests_total{component="shop",method="GET",route="/shop/..."} 1"#,
            r#"http_error_responses_total{component="shop",route="/shop/...",status="409"} 1"#,
            r#"http_requests_errors_total{component="shop",route="/shop/...",status="409"} 1"#,
            r#"http_request_duration_seconds_bucket{component="shop",route="/shop/...",le="0.00025"} 0"#,
            r#"http_request_duration_seconds_bucket{component="shop",route="/shop/...",le="0.0005"} 1"#,
            r#"http_request_duration_seconds_bucket{component="shop",route="/shop/...",le="5"} 1"#,
            r#"http_request_duration_seconds_bucket{component="shop",route="/shop/...",le="+Inf"} 2"#,
            r#"http_request_duration_seconds_count{component="shop",route="/shop/..."} 2"#,
            r#"wharf_instances{component="shop"} 0"#,
        ] {
            assert!(
                text.lines().any(|got| got == line),
                "{line}\nnot in\n{text}"
            );
        }
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(
            Labels(&[("a", "x\"\\\ny")]).to_string(),
            r#"{a="x\"\\\ny"}"#
        );
    }
}
