//! What a client may not do: send too much, take too long, be too many.

use std::sync::Arc;
use std::time::Duration;

use opstables::http::Limits;
use opstables::tables::System;
use tokio::net::TcpSocket;

use super::client::Served;
use super::signed::{Hooked, change, list};
use crate::harness::on_sqlite;
use crate::schedules::dice::Dice;

const MIB: usize = 1 << 20;
const SLOW_CLIENTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_said_to_be_too_long_is_refused_unread() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let mut dice = Dice::new(3);
        for _ in 0..200 {
            let length = MIB + 1 + dice.roll(1 << 30);
            for delivery in [
                hooked.genuine(System::Hubspot, b"[]"),
                hooked.genuine(System::Attio, b"{}"),
                super::signed::Delivery::unsigned(System::Hubspot, hooked.hubspot, b""),
            ] {
                let mut line = served.line().await;
                line.write(&delivery.head(length)).await.expect("a head");
                let answer = line.answer().await.expect("an answer");
                assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
                line.end().await;
            }
        }
        served.stopped().await;
        assert_eq!(hooked.inbox_len().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_body_is_refused_when_it_is_too_long() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        // Hardly anything may be on its way, so that what was sent is what was read.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let served = Served::on(&hooked, socket.listen(16).expect("a listener"), Limits::default());
        for system in System::ALL {
            let delivery = hooked.genuine(*system, b"");
            let head = String::from_utf8(delivery.head(0)).expect("text");
            let head = head.replace("Content-Length: 0", "Transfer-Encoding: chunked");
            let mut line = served.narrow_line().await;
            line.write(head.as_bytes()).await.expect("a head");
            let (sent, answer) = line.pour(format!("400\r\n{}\r\n", " ".repeat(1_024)).as_bytes()).await;
            assert_eq!(answer.expect("an answer").status, 413);
            assert!(sent > MIB && sent <= MIB + MIB / 10, "{sent} bytes went out");
        }
        served.stopped().await;
        assert_eq!(hooked.inbox_len().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_exactly_the_limit_is_taken() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits::default()).await;
        let mut body = list(&[change(1, 11, "CEO")]);
        body.resize(MIB, b' ');
        assert_eq!(served.send(&hooked.genuine(System::Hubspot, &body)).await.status, 200);
        body.push(b' ');
        assert_eq!(served.send(&hooked.genuine(System::Hubspot, &body)).await.status, 413);
        served.stopped().await;
        assert_eq!(hooked.inbox_len().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_cut_off_while_others_are_answered() {
    on_sqlite(async |t| {
        let hooked = Arc::new(Hooked::new(t).await);
        let short = Duration::from_millis(500);
        let limits = Limits { headers: short, body: short, ..Limits::default() };
        let served = Arc::new(Served::start(&hooked, limits).await);
        let slow = (0..SLOW_CLIENTS).map(|number| {
            let (served, hooked) = (Arc::clone(&served), Arc::clone(&hooked));
            tokio::spawn(async move {
                let mut line = served.line().await;
                let head = hooked.genuine(System::Hubspot, b"").head(100_000);
                // Half of them are slow with their headers, half with their bodies.
                let end = if number % 2 == 0 { head.len() - 4 } else { head.len() };
                line.write(&head[..end]).await.expect("a head");
                let answer = line.drip(b'x').await;
                assert_eq!(answer.map(|answer| answer.status), (number % 2 == 1).then_some(408));
            })
        });
        let slow: Vec<_> = slow.collect();
        let mut line = served.line().await;
        let mut sent = 0;
        while sent < 20 || slow.iter().any(|client| !client.is_finished()) {
            let delivery = hooked.genuine(System::Hubspot, &list(&[change(sent, 11, "CEO")]));
            assert_eq!(line.send(&delivery).await.status, 200);
            sent += 1;
        }
        for client in slow {
            client.await.expect("a client that was cut off");
        }
        assert_eq!(hooked.inbox_len().await, usize::try_from(sent).expect("a number"));
        served.ask_to_stop();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed_and_makes_room_for_others_before() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        let delivery = hooked.genuine(System::Hubspot, b"[]");
        let limits = Limits { idle: Duration::from_millis(300), ..Limits::default() };
        let served = Served::start(&hooked, limits).await;
        let mut line = served.line().await;
        assert_eq!(line.send(&delivery).await.status, 200);
        line.end().await;
        served.stopped().await;

        let limits = Limits { connections: 2, idle: Duration::from_hours(1), ..Limits::default() };
        let served = Served::start(&hooked, limits).await;
        let (mut first, mut second) = (served.line().await, served.line().await);
        assert_eq!(first.send(&delivery).await.status, 200);
        assert_eq!(second.send(&delivery).await.status, 200);
        let mut third = served.line().await;
        assert_eq!(third.send(&delivery).await.status, 200);
        first.end().await;
        assert_eq!(second.send(&delivery).await.status, 200);
        served.stopped().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_finds_all_connections_busy_waits_for_one() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        let limits = Limits { connections: 1, headers: Duration::from_millis(300), ..Limits::default() };
        let served = Served::start(&hooked, limits).await;
        let mut slow = served.line().await;
        slow.write(b"POST /webhooks").await.expect("a part of a request");
        let mut next = served.line().await;
        assert_eq!(next.send(&hooked.genuine(System::Hubspot, b"[]")).await.status, 200);
        slow.end().await;
        served.stopped().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_at_its_limit_says_when_to_come_again() {
    on_sqlite(async |t| {
        let hooked = Hooked::new(t).await;
        let served = Served::start(&hooked, Limits { requests: 0, ..Limits::default() }).await;
        let answer = served.send(&hooked.genuine(System::Hubspot, &list(&[change(1, 11, "CEO")]))).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
        served.stopped().await;
        assert_eq!(hooked.counted().await, ["hubspot|busy|1"]);
        assert_eq!(hooked.inbox_len().await, 0);
    })
    .await;
}
