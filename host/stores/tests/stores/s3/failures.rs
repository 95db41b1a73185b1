//! A full disk and a killed host.

use super::*;

#[tokio::test]
async fn the_server_reports_write_failures_and_keeps_running() {
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    s3.put("small", b"still there").await;
    let bodies = folder.path().join("s3/bodies");
    std::fs::remove_dir(&bodies).unwrap();
    let refused = s3.put("large", &content(100_000)).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
    );
    assert!(!refused.text().contains("bodies"));
    assert_eq!(s3.get("small").await.body, "still there");
    std::fs::create_dir(&bodies).unwrap();
    assert_eq!(
        s3.put("large", &content(100_000)).await.status,
        StatusCode::OK
    );
    stores.stop().await;
}

#[tokio::test]
async fn acknowledged_objects_survive_a_killed_host() {
    let folder = DataFolder::new();
    let host = Host::start(&s3(&folder));
    let address = host.addresses().s3.unwrap();
    let s3 = S3::at(&address);
    // Small objects in the index and large ones in files, until the host is killed meanwhile.
    let size = |number: usize| {
        if number.is_multiple_of(3) {
            100_000
        } else {
            100
        }
    };
    let writers = (0..4).map(|writer| {
        let s3 = &s3;
        async move {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                let key = format!("{writer}/{number}");
                let put = s3
                    .try_send(
                        Method::PUT,
                        &s3.put_url(&key, &[]),
                        &[],
                        content(size(number)).into(),
                    )
                    .await;
                match put.filter(|answer| answer.status == StatusCode::OK) {
                    Some(_) => acknowledged.push((key, size(number))),
                    None => break,
                }
            }
            acknowledged
        }
    });
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        host.kill();
    };
    let (acknowledged, ()) = tokio::join!(futures::future::join_all(writers), killing);
    let acknowledged = acknowledged.concat();
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());

    let stores = start(self::s3(&folder)).await;
    assert_eq!(stores.addresses().s3.as_ref(), Some(&address));
    let s3 = S3::of(&stores);
    for (key, size) in &acknowledged {
        let got = s3.get(key).await;
        assert!(got.body == content(*size), "{key}: {}", got.status);
    }
    // No incomplete files remain.
    let files = std::fs::read_dir(folder.path().join("s3/bodies"))
        .unwrap()
        .count();
    let listed = s3.list(|_| {}).await.contents;
    let large = listed
        .iter()
        .filter(|object| object.size == Some(100_000))
        .count();
    assert!(
        listed.len() == 1000 || files == large,
        "{files} files for {large} objects"
    );
    stores.stop().await;
}
