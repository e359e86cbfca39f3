//! Skills: instructions for an agent, found by what people say.
//!
//! ```text
//! skill · finding      a skill as it was written; what is wrong with one
//! frontmatter · fields · reading    SKILL.md, folders and library files → skills
//! words · synonyms · vocabulary    texts → features
//! phrases · learned · index · choose    a message → the skill it is for
//! library              the skills that one agent can choose from
//! platform · folder    the skills that ship with the product; those on disk, watched
//! template · compile   what an organization told about itself → what its agents read
//! organizations · decisions    each organization's library, and what it decides about it
//! ```

mod choose;
mod compile;
mod decisions;
mod fields;
mod finding;
mod folder;
mod frontmatter;
mod index;
mod learned;
mod library;
mod organizations;
mod phrases;
mod platform;
mod reading;
mod skill;
mod synonyms;
mod template;
mod tuning;
mod vocabulary;
mod words;

pub use choose::{CANDIDATES, Candidate, Choice, THRESHOLD};
pub use compile::{Origin, rehearse};
pub use decisions::told;
pub use finding::{Finding, Weight};
pub use library::Library;
pub use organizations::Skills;
pub use platform::platform;
pub use reading::{Shelf, Stamp};
pub use skill::{File, SEQUENCE, SKILL_FILE, Skill, Trigger};
pub use template::Context;
