//! The real program over stdio, as hosts of both protocol eras use it.

use serde_json::json;

use crate::harness::{Bench, on_both};

on_both! {
    async fn a_host_that_probes_and_leaves_ends_the_server_well(t: Bench) {
        let host = t.serve(&[]);
        let found = host.result("server/discover", json!({})).await;
        let versions = found["supportedVersions"].as_array().expect("a list of versions");
        assert!(versions.contains(&json!("2026-07-28")), "{found}");
        let (status, stderr) = host.close().await;
        assert!(status.success(), "{status}; stderr:\n{stderr}");
    }

    async fn every_older_protocol_version_is_answered_in_kind(t: Bench) {
        for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            let host = t.serve(&[]);
            assert_eq!(host.legacy(version).await["protocolVersion"], version);
            host.ok("describe_tables", json!({})).await;
        }
    }

    async fn many_calls_at_once_get_their_own_replies(t: Bench) {
        let host = t.serve(&[]);
        let (described, queried, refused) = tokio::join!(
            host.ok("describe_tables", json!({})),
            host.ok("query_leads", json!({"limit": 1})),
            host.refused("query_leads", json!({"filters": [{"column": "contact_emial", "op": "equals", "value": "x"}]})),
        );
        assert!(described.to_string().contains("contact_email"), "{described}");
        assert_eq!(queried["rows"], json!([]));
        assert!(refused.contains("contact_email"), "{refused}");
    }

    async fn an_import_tells_how_far_it_has_come(t: Bench) {
        let host = t.serve(&["--toolsets", "admin"]);
        let rows: Vec<_> = (0..600).map(|i| json!({"contact_email": format!("lead{i}@x.io")})).collect();
        let call = json!({"name": "import_rows", "arguments": {"table": "leads", "rows": rows}, "_meta": {"progressToken": "p"}});
        let done = host.result("tools/call", call).await;
        assert_eq!(done["structuredContent"]["created"], 600, "{done}");
        let progress = host.message("notifications/progress").await;
        assert_eq!(progress["params"]["progressToken"], "p");
        assert_eq!(progress["params"]["total"].as_f64(), Some(600.0));
    }

    async fn a_line_that_is_no_message_does_not_stop_the_server(t: Bench) {
        let host = t.serve(&[]);
        host.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        host.send_line("{\"jsonrpc\":").await;
        host.ok("describe_tables", json!({})).await;
    }
}
