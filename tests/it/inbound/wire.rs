//! The way from what happens at the stand-ins into the tables: their events, signed and delivered as badly as can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opstables::store::connections;
use opstables::sync::pace::Limit;
use opstables::sync::receive::{Head, Receiver};
use opstables::sync::{Turn, hooks, inbound};
use opstables::tables::System;
use secrecy::SecretString;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::delivery::crms::Crms;
use crate::schedules::dice::Dice;
use crate::webhooks::signed::{ATTIO_SECRET, Delivery, PUBLIC_URL, SECRET, list};

/// How many times a delivery may come.
const COPIES: usize = 4;

pub(crate) struct Wire<'a> {
    pub(crate) crms: &'a Crms,
    receiver: Receiver,
    connections: [Uuid; 2],
    keys: AtomicUsize,
}

impl<'a> Wire<'a> {
    /// The webhooks of both connections.
    pub(crate) async fn of(crms: &'a Crms) -> Wire<'a> {
        let services = &crms.t.app.services;
        let mut ids = [Uuid::nil(); 2];
        let mut tx = services.store.begin().await.expect("a transaction");
        for (id, (system, secret)) in
            ids.iter_mut().zip([(System::Hubspot, SECRET), (System::Attio, ATTIO_SECRET)])
        {
            let row = connections::get(&mut tx, crms.t.org, system.name(), false).await.expect("a read");
            *id = row.expect("a connection").id;
            let secret = SecretString::from(secret.to_owned());
            let place = (crms.t.org, system);
            hooks::add_secret(&services.sync, &mut tx, place, *id, &secret).await.expect("a secret");
        }
        tx.commit().await.expect("a commit");
        let receiver = Receiver::new(Arc::clone(&services.sync), Some(PUBLIC_URL.to_owned()));
        Wire { crms, receiver, connections: ids, keys: AtomicUsize::new(0) }
    }

    /// Delivers what has happened at both CRMs, in its order and once; how many events there were.
    pub(crate) async fn deliver(&self) -> usize {
        let events = self.events();
        for (system, event, key) in &events {
            self.send(*system, event, key).await;
        }
        events.len()
    }

    /// Delivers it in any order, and each event up to four times; how many events there were.
    pub(crate) async fn deliver_badly(&self, dice: &mut Dice) -> usize {
        let events = self.events();
        let mut copies: Vec<usize> = Vec::new();
        for place in 0..events.len() {
            copies.extend(std::iter::repeat_n(place, 1 + dice.roll(COPIES)));
        }
        while !copies.is_empty() {
            let (system, event, key) = &events[copies.swap_remove(dice.roll(copies.len()))];
            self.send(*system, event, key).await;
        }
        events.len()
    }

    /// Delivers, takes in and sends until nothing is left to do on either side.
    pub(crate) async fn settle(&self) {
        let mut quiet = 0;
        for _ in 0..50 {
            let delivered = self.deliver().await;
            self.take_in().await;
            self.crms.work().await;
            // What was sent at last is told of at last.
            quiet = if delivered == 0 { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
        }
        panic!("it goes on for ever");
    }

    /// Takes in what waits in the inbox.
    pub(crate) async fn take_in(&self) {
        for system in System::ALL {
            let mut limit = Limit::new(*system);
            for _ in 0..10_000 {
                let now_ms = self.crms.t.clock.now_ms();
                match self.turn(*system, &mut limit).await {
                    Turn::Worked(_) => {}
                    Turn::Idle(Some(due_ms)) | Turn::Closed(due_ms) => {
                        self.crms.t.clock.advance_ms((due_ms - now_ms).max(1));
                    }
                    Turn::Idle(None) => break,
                }
            }
        }
    }

    pub(crate) async fn turn(&self, system: System, limit: &mut Limit) -> Turn {
        inbound(&self.crms.t.app.services.sync, self.crms.t.org, system, limit).await.expect("a turn")
    }

    /// What has happened since it was last asked for, each event with the body of its delivery and its key.
    fn events(&self) -> Vec<(System, Vec<u8>, String)> {
        let key = || format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        let hubspot = self.crms.hubspot.take_events().into_iter();
        let hubspot = hubspot.map(|event| (System::Hubspot, list(&[event]), key()));
        let attio = self.crms.attio.take_events().into_iter();
        let attio = attio.map(|payload: Json| (System::Attio, payload.to_string().into_bytes(), key()));
        hubspot.chain(attio).collect()
    }

    async fn send(&self, system: System, body: &[u8], key: &str) {
        let [hubspot, attio] = self.connections;
        let now_ms = self.crms.t.clock.now_ms();
        let delivery = match system {
            System::Hubspot => Delivery::hubspot(hubspot, SECRET, now_ms, body),
            System::Attio => Delivery::attio(attio, ATTIO_SECRET, key, body),
        };
        let headers = delivery.header_map();
        let head = Head {
            method: &delivery.method,
            path_and_query: &delivery.path,
            headers: &headers,
            received_ms: now_ms,
        };
        let admitted = self.receiver.admit(system, delivery.connection, head).await;
        let admitted = admitted.unwrap_or_else(|refused| panic!("{refused:?}"));
        self.receiver.take(admitted, body).await.unwrap_or_else(|refused| panic!("{refused:?}"));
    }
}
