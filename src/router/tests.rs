//! What Step 0 answers, checked against the declared tables.
