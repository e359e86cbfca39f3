//! A raw HTTP client, which sends what it is told, byte by byte if need be, and a server to send it to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use opstables::http::{Limits, Options, Server};
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::signed::{Delivery, Hooked, PUBLIC_URL};

/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// How often a slow client sends a byte.
const DRIP: Duration = Duration::from_millis(20);

/// A running server in this process.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

/// A connection to it.
pub(super) struct Line {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    heard: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Lower-case names.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Served {
    pub(super) async fn start(hooked: &Hooked, limits: Limits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Served::on(hooked, listener, limits)
    }

    pub(super) fn on(hooked: &Hooked, listener: TcpListener, limits: Limits) -> Served {
        let options = Options { public_url: Some(PUBLIC_URL.to_owned()), tls: None, limits };
        let address = listener.local_addr().expect("an address");
        let engine = Arc::clone(&hooked.t.app.services.sync);
        let server = Server::on(engine, listener, options).expect("a server");
        let (stop, stopped) = watch::channel(false);
        Served { address, stop, running: tokio::spawn(server.run(stopped)) }
    }

    pub(super) async fn line(&self) -> Line {
        Line::new(TcpStream::connect(self.address).await.expect("a connection"))
    }

    /// A connection that hardly anything fits into between the two programs.
    pub(super) async fn narrow_line(&self) -> Line {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_send_buffer_size(4_096).expect("a small buffer");
        Line::new(socket.connect(self.address).await.expect("a connection"))
    }

    /// Sends a delivery on a connection of its own.
    pub(super) async fn send(&self, delivery: &Delivery) -> Answer {
        self.line().await.send(delivery).await
    }

    /// Asks for a path without a body.
    pub(super) async fn ask(&self, method: &str, path: &str) -> Answer {
        let mut line = self.line().await;
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        line.write(request.as_bytes()).await.expect("a request");
        line.answer().await.expect("an answer")
    }

    pub(super) fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has stopped.
    pub(super) async fn stopped(self) {
        self.ask_to_stop();
        timeout(PATIENCE, self.running).await.expect("an end").expect("no panic");
    }
}

impl Line {
    pub(super) fn new(stream: TcpStream) -> Line {
        stream.set_nodelay(true).expect("a socket");
        let (reader, writer) = stream.into_split();
        Line { reader, writer, heard: Vec::new() }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writer.write_all(bytes).await
    }

    /// Sends a delivery and waits for its answer.
    pub(super) async fn send(&mut self, delivery: &Delivery) -> Answer {
        self.write(&delivery.wire()).await.expect("a request");
        self.answer().await.expect("an answer")
    }

    /// The next answer; none when the server has ended the connection without one.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        timeout(PATIENCE, self.read_answer()).await.expect("an answer or an end")
    }

    /// Writes the same piece again and again until it is answered or cut off. How many bytes went out, and the answer.
    pub(super) async fn pour(&mut self, piece: &[u8]) -> (usize, Option<Answer>) {
        let Line { reader, writer, heard } = self;
        let mut sent = 0;
        let pouring = async {
            loop {
                match writer.write(&piece[sent % piece.len()..]).await {
                    Ok(number) => sent += number,
                    // Cut off; an answer may have come before.
                    Err(_) => std::future::pending().await,
                }
            }
        };
        let answer = tokio::select! {
            answer = timeout(PATIENCE, read_answer(reader, heard)) => answer.expect("an answer or an end"),
            () = pouring => None,
        };
        (sent, answer)
    }

    /// Writes a byte now and then until the server has had enough; what it answered.
    pub(super) async fn drip(&mut self, byte: u8) -> Option<Answer> {
        let Line { reader, writer, heard } = self;
        let dripping = async {
            loop {
                sleep(DRIP).await;
                if writer.write_all(&[byte]).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            answer = timeout(PATIENCE, read_answer(reader, heard)) => answer.expect("an end"),
            () = dripping => None,
        }
    }

    /// Waits for the end of the connection, whatever comes before it.
    pub(super) async fn end(&mut self) {
        let mut rest = Vec::new();
        // Cut off or closed, it is over.
        drop(timeout(PATIENCE, self.reader.read_to_end(&mut rest)).await.expect("an end"));
    }

    async fn read_answer(&mut self) -> Option<Answer> {
        read_answer(&mut self.reader, &mut self.heard).await
    }
}

async fn read_answer(reader: &mut OwnedReadHalf, heard: &mut Vec<u8>) -> Option<Answer> {
    loop {
        if let Some((answer, length)) = Answer::read(heard) {
            heard.drain(..length);
            return Some(answer);
        }
        let mut buffer = [0; 4_096];
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(number) => heard.extend_from_slice(&buffer[..number]),
        }
    }
}

impl Answer {
    /// The answer at the start of what was heard, and its length; none before it is whole.
    fn read(heard: &[u8]) -> Option<(Answer, usize)> {
        let end = heard.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let mut lines = std::str::from_utf8(&heard[..end]).expect("text").lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers: Vec<(String, String)> =
            headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        let body = heard.get(end..end + length)?;
        let body = String::from_utf8(body.to_vec()).expect("text");
        Some((Answer { status, headers, body }, end + length))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Delivery {
    /// The bytes of the request up to its body, which is said to be of this length.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        let mut wire =
            format!("{} {} HTTP/1.1\r\nHost: attacker.example\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            wire.extend_from_slice(name.as_bytes());
            wire.extend_from_slice(b": ");
            wire.extend_from_slice(value);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        wire
    }

    pub(super) fn wire(&self) -> Vec<u8> {
        [self.head(self.body.len()), self.body.clone()].concat()
    }
}
