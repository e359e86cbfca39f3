//! Lines of bounded length from the client. A line that is too long is thrown away as it arrives, so that
//! no client can make the process grow.

use std::io;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::stdio::Reader;

/// The longest line that is read, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 4 << 20;

/// Enough for nearly every message in one read.
const BUFFER_BYTES: usize = 64 << 10;

pub(super) struct Lines {
    input: BufReader<Reader>,
    line: Vec<u8>,
    /// Whether `line` was handed out and is to be replaced by the next one.
    taken: bool,
    /// Whether the rest of a line that was too long is still to be skipped.
    skipping: bool,
}

/// What the client sent next. The text of a whole line is then in [`Lines::line`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Whole,
    TooLong,
    End,
}

impl Lines {
    pub(super) fn new(input: Reader) -> Lines {
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        Lines { input, line: Vec::new(), taken: false, skipping: false }
    }

    /// The last whole line, without its end.
    pub(super) fn line(&self) -> &[u8] {
        self.line.trim_ascii_end()
    }

    /// Waits for the next line. May be dropped and called again at any time: what was read so far stays.
    pub(super) async fn next(&mut self) -> io::Result<Next> {
        if std::mem::take(&mut self.taken) {
            self.line.clear();
            self.line.shrink_to(BUFFER_BYTES);
        }
        loop {
            // From here to `consume` nothing waits, so nothing is read twice or lost.
            let available = self.input.fill_buf().await?;
            if available.is_empty() {
                return Ok(self.end());
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let count = newline.map_or(available.len(), |index| index + 1);
            let fits = self.line.len() + count <= LINE_BYTES_MAX;
            if !self.skipping && fits {
                self.line.extend_from_slice(&available[..count]);
            }
            self.input.consume(count);
            if self.skipping {
                self.skipping = newline.is_none();
            } else if !fits {
                self.line = Vec::new();
                self.skipping = newline.is_none();
                return Ok(Next::TooLong);
            } else if newline.is_some() {
                self.taken = true;
                return Ok(Next::Whole);
            }
        }
    }

    /// At the end of the input, a last line may lack its newline.
    fn end(&mut self) -> Next {
        if self.line.is_empty() {
            return Next::End;
        }
        self.taken = true;
        Next::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_lines_are_skipped_and_the_last_one_needs_no_end() {
        let mut sent = vec![b'x'; LINE_BYTES_MAX + 1];
        sent.extend_from_slice(b"\none\r\n\ntwo");
        let mut lines = Lines::new(Box::new(io::Cursor::new(sent)));
        assert_eq!(lines.next().await.unwrap(), Next::TooLong);
        for wanted in ["one", "", "two"] {
            assert_eq!(lines.next().await.unwrap(), Next::Whole);
            assert_eq!(lines.line(), wanted.as_bytes());
        }
        assert_eq!(lines.next().await.unwrap(), Next::End);
    }

    #[tokio::test]
    async fn a_line_survives_being_waited_for_in_vain() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut lines = Lines::new(Box::new(server));
        for part in ["one ", "li", "ne"] {
            tokio::io::AsyncWriteExt::write_all(&mut client, part.as_bytes()).await.unwrap();
            let waited = tokio::time::timeout(std::time::Duration::from_millis(1), lines.next()).await;
            assert!(waited.is_err(), "there is no whole line yet");
        }
        tokio::io::AsyncWriteExt::write_all(&mut client, b"\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), Next::Whole);
        assert_eq!(lines.line(), b"one line");
    }
}
