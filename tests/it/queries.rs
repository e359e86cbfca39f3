//! Reading rows: filters, search, views, order, pages and figures.

use opstables::error::Code;
use serde_json::{Value as Json, json};

use crate::harness::{Bench, on_both};

async fn sample(t: &Bench) {
    t.ok("save_clients", json!({"rows": [
        {"company_name": "Globex", "contact_email": "g@globex.com", "deal_value": 1200.5, "status": "active", "owner": "Ann Lee", "subscription_start": "2025-11-03"},
        {"company_name": "initech", "deal_value": 300, "status": "churned", "owner": "Tom Ford", "subscription_start": "2026-01-31"},
        {"company_name": "Umbrella", "deal_value": "2k", "status": "active", "owner": "Ann Lee", "subscription_start": "2026-02-28"},
        {"company_name": "Österreich AG", "status": "notice_given", "tags": ["at risk"]},
    ]})).await;
}

async fn names(t: &Bench, arguments: Json) -> Vec<String> {
    let rows = t.rows("query_clients", arguments).await;
    rows.iter().map(|row| row["company_name"].as_str().unwrap_or_default().to_owned()).collect()
}

on_both! {
    async fn filters_mean_what_they_say(t: Bench) {
        sample(&t).await;
        for (filter, expected) in [
            (json!({"column": "status", "op": "equals", "value": "active"}), vec!["Globex", "Umbrella"]),
            (json!({"column": "status", "op": "not_in", "value": ["active", "churned"]}), vec!["Österreich AG"]),
            (json!({"column": "company_name", "op": "contains", "value": "GLOB"}), vec!["Globex"]),
            (json!({"column": "company_name", "op": "starts_with", "value": "öst"}), vec!["Österreich AG"]),
            (json!({"column": "company_name", "op": "equals", "value": "INITECH"}), vec!["initech"]),
            (json!({"column": "deal_value", "op": "gte", "value": "1,200.50"}), vec!["Globex", "Umbrella"]),
            (json!({"column": "deal_value", "op": "between", "value": [300, 1200.5]}), vec!["Globex", "initech"]),
            (json!({"column": "deal_value", "op": "is_empty"}), vec!["Österreich AG"]),
            (json!({"column": "deal_value", "op": "not_equals", "value": 300}), vec!["Globex", "Umbrella", "Österreich AG"]),
            (json!({"column": "owner", "op": "equals", "value": "ann lee"}), vec!["Globex", "Umbrella"]),
            (json!({"column": "subscription_start", "op": "between", "value": ["2026-01-01", "2026-01-31"]}), vec!["initech"]),
            (json!({"column": "subscription_start", "op": "within_last_days", "value": 7}), vec!["Umbrella"]),
            (json!({"column": "subscription_start", "op": "equals", "value": "last_month"}), vec!["Umbrella"]),
            (json!({"column": "tags", "op": "equals", "value": "at risk"}), vec!["Österreich AG"]),
        ] {
            let found = names(&t, json!({"filters": [filter], "sort": [{"column": "company_name"}]})).await;
            assert_eq!(found, expected, "{filter}");
        }
    }

    async fn alternatives_views_and_filters_combine(t: Bench) {
        sample(&t).await;
        let any = json!({"any_of": [
            {"column": "status", "op": "equals", "value": "churned"}, {"column": "deal_value", "op": "gt", "value": 1500},
        ], "sort": [{"column": "deal_value", "dir": "desc"}]});
        assert_eq!(names(&t, any).await, ["Umbrella", "initech"]);
        assert_eq!(names(&t, json!({"view": "At Risk", "filters": [{"column": "tags", "op": "is_not_empty"}]})).await, ["Österreich AG"]);
        assert_eq!(names(&t, json!({"view": "active_clients"})).await, ["Umbrella", "Globex"]);
    }

    async fn a_search_ignores_case_and_accents(t: Bench) {
        sample(&t).await;
        assert_eq!(names(&t, json!({"search": "osterreich"})).await, ["Österreich AG"]);
        assert_eq!(names(&t, json!({"search": "GLOBEX g@"})).await, ["Globex"]);
        assert_eq!(names(&t, json!({"search": "ag"})).await, ["Österreich AG"]);
        assert!(names(&t, json!({"search": "nothing%"})).await.is_empty());
    }

    async fn every_order_can_be_paged_through_without_gap_or_repeat(t: Bench) {
        let rows: Vec<Json> = (0..83).map(|i| {
            let priority = ["low", "normal", "high", "urgent"].get(i % 5);
            json!({
                "contact_name": if i % 7 == 0 { Json::Null } else { json!(format!("{}{i}", if i % 2 == 0 { "Z" } else { "a" })) },
                "contact_email": format!("l{i}@x.io"), "priority": priority,
                "meeting_start": if i % 3 == 0 { Json::Null } else { json!(format!("2026-03-{:02}T09:00:00Z", i % 9 + 1)) },
                "owner": (["Ann Lee", "Tom Ford", ""][i % 3]),
            })
        }).collect();
        t.ok("save_leads", json!({"rows": rows})).await;
        for sort in [
            json!([{"column": "contact_name"}]), json!([{"column": "contact_name", "dir": "desc"}]),
            json!([{"column": "meeting_start"}]), json!([{"column": "meeting_start", "dir": "desc"}]),
            json!([{"column": "priority", "dir": "desc"}, {"column": "meeting_start"}]),
            json!([{"column": "owner"}, {"column": "priority"}]), json!([{"column": "meeting_held"}]), json!([]),
        ] {
            let whole: Vec<Json> = t.rows("query_leads", json!({"sort": sort, "limit": 200})).await.iter().map(|row| row["id"].clone()).collect();
            let mut paged = Vec::new();
            let mut page = t.ok("query_leads", json!({"sort": sort, "limit": 10})).await;
            loop {
                paged.extend(page["rows"].as_array().unwrap().iter().map(|row| row[0].clone()));
                assert_eq!(page["total"], 83);
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                page = t.ok("query_leads", json!({"cursor": cursor, "limit": 10})).await;
            }
            assert_eq!(paged, whole, "{sort}");
            assert_eq!(paged.len(), 83);
        }
        let first = t.rows("query_leads", json!({"sort": [{"column": "priority", "dir": "desc"}], "limit": 1})).await;
        assert_eq!(first[0]["priority"], "urgent", "options sort in their own order");
    }

    async fn a_cursor_is_refused_when_changed_or_used_for_another_query(t: Bench) {
        t.ok("save_leads", json!({"rows": (0..5).map(|i| json!({"contact_name": format!("L{i}")})).collect::<Vec<_>>()})).await;
        let page = t.ok("query_leads", json!({"limit": 2})).await;
        let cursor = page["next_cursor"].as_str().unwrap();
        let tampered = format!("{}A", &cursor[..cursor.len() - 1]);
        for arguments in [json!({"cursor": tampered}), json!({"cursor": "abc"}), json!({"cursor": cursor, "search": "L"})] {
            let error = t.refused("query_leads", arguments).await;
            assert_eq!((error.code, error.path.as_deref()), (Code::Invalid, Some("cursor")));
        }
        t.refused("query_clients", json!({"cursor": cursor})).await;
        assert_eq!(t.ok("query_leads", json!({"cursor": cursor, "limit": 2})).await["rows"].as_array().unwrap().len(), 2);
    }

    async fn figures_are_worked_out_by_group(t: Bench) {
        sample(&t).await;
        let by = |arguments: Json| async { t.ok("query_clients", arguments).await["rows"].clone() };
        assert_eq!(by(json!({"aggregate": {"fn": "count"}})).await, json!([[4]]));
        assert_eq!(by(json!({"aggregate": {"fn": "sum", "column": "deal_value"}})).await, json!([[3500.5]]));
        assert_eq!(
            by(json!({"aggregate": {"fn": "sum", "column": "deal_value"}, "group_by": ["owner"]})).await,
            json!([["Ann Lee", 3200.5], ["Tom Ford", 300], [null, null]])
        );
        assert_eq!(
            by(json!({"group_by": ["subscription_start:quarter"], "sort": [{"column": "subscription_start", "dir": "asc"}]})).await,
            json!([["2025-10-01", 1], ["2026-01-01", 2], [null, 1]])
        );
        assert_eq!(
            by(json!({"group_by": ["subscription_start:week"], "sort": [{"column": "_value", "dir": "desc"}], "limit": 1})).await,
            json!([["2025-11-03", 1]])
        );
        assert_eq!(by(json!({"aggregate": {"fn": "max", "column": "subscription_start"}})).await, json!([["2026-02-28"]]));
        assert_eq!(
            by(json!({"aggregate": {"fn": "avg", "column": "deal_value"}, "group_by": ["status", "owner"], "filters": [{"column": "status", "op": "equals", "value": "active"}]})).await,
            json!([["active", "Ann Lee", 1600.25]])
        );
    }

    async fn days_are_cut_in_the_organizations_zone(t: Bench) {
        let mut tx = t.app.services.store.begin().await.unwrap();
        opstables::store::organizations::rename(&mut tx, t.org, "Acme", "America/New_York").await.unwrap();
        tx.commit().await.unwrap();
        t.ok("save_leads", json!({"rows": [
            {"contact_name": "late", "created_at": "2026-03-02T04:30:00Z"}, {"contact_name": "early", "created_at": "2026-03-02T05:30:00Z"},
            {"contact_name": "summer", "created_at": "2026-07-01T03:59:00Z"},
        ]})).await;
        let groups = t.ok("query_leads", json!({"group_by": ["created_at:day"], "sort": [{"column": "created_at"}]})).await;
        assert_eq!(groups["rows"], json!([["2026-03-01", 1], ["2026-03-02", 1], ["2026-06-30", 1]]));
        let today = t.rows("query_leads", json!({"filters": [{"column": "created_at", "op": "equals", "value": "today"}]})).await;
        assert_eq!(today.len(), 1);
        assert_eq!(today[0]["contact_name"], "early");
    }

    async fn a_result_is_cut_at_its_size_with_a_way_to_go_on(t: Bench) {
        let long = "word ".repeat(4_000);
        t.ok("save_meetings", json!({"rows": (0..6).map(|i| json!({"title": format!("M{i}"), "transcript": long})).collect::<Vec<_>>()})).await;
        let page = t.ok("query_meetings", json!({"fields": ["title", "transcript"]})).await;
        assert!(page.to_string().len() <= 64 * 1024);
        assert_eq!((page["truncated"].as_bool(), page["total"].as_u64()), (Some(true), Some(6)));
        let rest = t.ok("query_meetings", json!({"cursor": page["next_cursor"]})).await;
        assert!(!rest["rows"].as_array().unwrap().is_empty());
        t.ok("save_meetings", json!({"rows": [{"title": "Huge", "transcript": "x".repeat(65_000)}]})).await;
        let huge = t.ok("query_meetings", json!({"search": "Huge", "fields": ["transcript"]})).await;
        assert!(huge.to_string().len() <= 64 * 1024 && huge["note"].is_string());
    }

    async fn whether_a_meeting_was_held_follows_the_clock(t: Bench) {
        t.ok("save_leads", json!({"rows": [
            {"contact_name": "soon", "contact_email": "s@x.io", "meeting_start": "2026-03-02T11:00:00Z"},
            {"contact_name": "gone", "meeting_start": "2026-03-01T11:00:00Z"},
            {"contact_name": "met", "meeting_start": "2026-03-01T11:00:00Z", "meeting_recording_url": "https://x.io/r"},
            {"contact_name": "off", "meeting_start": "2026-03-09T11:00:00Z", "meeting_outcome": "cancelled"},
        ]})).await;
        let held = |name: &'static str| {
            let t = &t;
            async move {
                let rows = t.rows("query_leads", json!({"search": name, "fields": ["meeting_held"]})).await;
                rows[0]["meeting_held"].as_str().unwrap_or_default().to_owned()
            }
        };
        assert_eq!((held("soon").await, held("gone").await), ("Upcoming".to_owned(), "No Show".to_owned()));
        assert_eq!((held("met").await, held("off").await), ("Met".to_owned(), "Cancelled".to_owned()));
        t.clock.advance_ms(2 * 3_600_000);
        assert_eq!(held("soon").await, "No Show");
        t.ok("save_meetings", json!({"rows": [{"title": "Intro", "contact_email": "s@x.io", "meeting_date": "2026-03-02T11:00:00Z", "transcript": "hello"}]})).await;
        assert_eq!(held("soon").await, "Met");
        assert_eq!(t.rows("query_leads", json!({"view": "no_shows"})).await.len(), 2);
    }
}
