//! `wharf routes`: lists routes and channels, read from the manifest alone.

use serde_json::json;

use crate::cli::{self, Format};
use crate::failure::Result;

pub fn run(args: &cli::Routes) -> Result<()> {
    let manifest = super::load(&args.manifest)?;
    let rows: Vec<[String; 3]> = manifest
        .http
        .iter()
        .map(|trigger| {
            let route = trigger
                .route
                .as_ref()
                .map_or("(private)".to_owned(), ToString::to_string);
            let component = trigger
                .answer
                .component()
                .unwrap_or("(static response)")
                .to_owned();
            [route, component, trigger.id.clone()]
        })
        .collect();
    let channels = manifest
        .redis
        .iter()
        .map(|trigger| (trigger.channel.source(), trigger.component.as_str()));
    if args.format == Format::Json {
        let routes: Vec<_> =
            rows.iter().map(|[route, component, id]| json!({ "route": route, "component": component, "id": id })).collect();
        let channels: Vec<_> = channels
            .map(|(channel, component)| json!({ "channel": channel, "component": component }))
            .collect();
        println!("{}", json!({ "routes": routes, "channels": channels }));
        return Ok(());
    }
    let width = rows
        .iter()
        .map(|[route, ..]| route.len())
        .max()
        .unwrap_or_default();
    for [route, component, _] in &rows {
        println!("{route:width$}  {component}");
    }
    for (channel, component) in channels {
        println!("{:width$}  {component}", format!("redis: {channel}"));
    }
    Ok(())
}
