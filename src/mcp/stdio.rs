//! The process's standard streams. Hosts give a tool server pipes (Python, Go, shells) or Unix sockets
//! (Node); both are read and written without a thread hand-off per message where the system allows it.

use tokio::io::{AsyncRead, AsyncWrite};

pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input and output; inside a runtime only.
pub(super) fn open() -> (Reader, Writer) {
    #[cfg(unix)]
    if let Some((reader, writer)) = unix::sockets() {
        return (Box::new(reader), Box::new(writer));
    }
    let (reader, writer) = rmcp::transport::stdio_pipes();
    (Box::new(reader), Box::new(writer))
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, Metadata};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use tokio::net::UnixStream;

    /// Both streams as sockets, if that is what they are. `O_NONBLOCK` is shared by all who hold the same
    /// socket, so a stderr that is one of them would lose log lines; then the blocking streams are used.
    pub(super) fn sockets() -> Option<(UnixStream, UnixStream)> {
        let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        let log = metadata(stderr.as_fd());
        for stream in [stdin.as_fd(), stdout.as_fd()] {
            let own = metadata(stream)?;
            let shared = log.as_ref().is_some_and(|log| (log.dev(), log.ino()) == (own.dev(), own.ino()));
            if shared || !own.file_type().is_socket() {
                return None;
            }
        }
        Some((stream(stdin.as_fd())?, stream(stdout.as_fd())?))
    }

    fn stream(fd: BorrowedFd<'_>) -> Option<UnixStream> {
        let stream = std::os::unix::net::UnixStream::from(fd.try_clone_to_owned().ok()?);
        // Refuses a socket of another family, such as one from inetd.
        stream.local_addr().ok()?;
        stream.set_nonblocking(true).ok()?;
        UnixStream::from_std(stream).ok()
    }

    fn metadata(fd: BorrowedFd<'_>) -> Option<Metadata> {
        File::from(fd.try_clone_to_owned().ok()?).metadata().ok()
    }
}
