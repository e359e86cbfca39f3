//! What the tests of both stand-ins call them with.

use serde_json::Value;

/// A client without retries of its own.
pub(super) fn client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().retry(reqwest::retry::never()).build().unwrap()
}

/// An answer as the tests look at it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Value,
}

/// A caller with a token.
pub(super) struct Caller {
    pub(super) http: reqwest::Client,
    pub(super) url: String,
    pub(super) token: String,
}

impl Caller {
    pub(super) fn new(url: String) -> Caller {
        Caller { http: client(), url, token: "test-token".to_owned() }
    }

    pub(super) async fn get(&self, path: &str) -> Seen {
        self.send("GET", path, None).await.unwrap()
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> Seen {
        self.send(method, path, Some(body)).await.unwrap()
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Result<Seen> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        seen(request.send().await?).await
    }

    pub(super) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request = self.http.post(format!("{}{path}", self.url)).form(fields);
        seen(request.send().await.unwrap()).await.unwrap()
    }
}

async fn seen(response: reqwest::Response) -> reqwest::Result<Seen> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await?;
    Ok(Seen { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) })
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }
}
