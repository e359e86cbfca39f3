//! Skills: instructions for an agent, found by what people say.
//!
//! ```text
//! skill · finding      a skill as it was written; what is wrong with one
//! frontmatter · reading    SKILL.md, folders and library files → skills
//! words · synonyms · vocabulary    texts → features
//! phrases · learned · index · choose    a message → the skill it is for
//! library              the skills that one agent can choose from
//! ```

mod choose;
mod finding;
mod frontmatter;
mod index;
mod learned;
mod library;
mod phrases;
mod reading;
mod skill;
mod synonyms;
mod tuning;
mod vocabulary;
mod words;

pub use choose::{CANDIDATES, Candidate, Choice, THRESHOLD};
pub use finding::{Finding, Weight};
pub use library::Library;
pub use reading::{Shelf, Stamp};
pub use skill::{File, SEQUENCE, SKILL_FILE, Skill, Trigger};
