//! opstables: the tool server that sales copilots use to work with CRM data.
//!
//! Read the modules in this order; each may use those above it, none beside or below.
//!
//! ```text
//! error · config · clock
//! fakes                  stand-ins for the CRMs, for tests and demos
//! store                  SQL, no meaning
//! tables                 the five standard tables as declarations, and an organization's catalog of them
//! records                the meaning of a read and of a write
//! imports · backfill     files of rows, and the application's own data, brought in without loss or repetition
//! router                 a message → the call of a table that it asks for, or nothing
//! skills                 instructions for an agent, chosen by what is said
//! sync                   brings changes to the CRMs, and takes in what they answer
//! tools                  the verbs offered to the model
//! mcp                    turns the protocol into calls
//! http                   takes in webhooks, and says whether the process is well
//! worker                 the loop that works the queues
//! app                    builds it all once
//! cli                    one command a file
//! ```

pub mod app;
pub mod backfill;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod fakes;
pub mod http;
pub mod imports;
pub mod mcp;
pub mod records;
pub mod router;
pub mod skills;
pub mod store;
pub mod sync;
pub mod tables;
pub mod tools;
pub mod worker;
