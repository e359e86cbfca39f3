//! Rows from CSV as spreadsheets and CRMs write it: any of three delimiters, quoted cells over several
//! lines, a mark at the beginning. What cannot be read is a fault of its line, not of the file.

use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value as Json;

use super::source::{Format, Row, Source};
use crate::error::{Result, invalid};

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];
/// How many rows decide which delimiter the file uses.
const SNIFFED_ROWS: usize = 50;

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Source> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(invalid(format!("`{name}` is in UTF-16")).hint("save it as CSV UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Old spreadsheets end their lines with a carriage return alone.
    let owned: Vec<u8>;
    let bytes = if bytes.contains(&b'\r') && !bytes.contains(&b'\n') {
        owned = bytes.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }).collect();
        &owned
    } else {
        bytes
    };
    let delimiter = sniff(bytes);
    let mut records = Records::new(bytes, delimiter);
    let Some((_, _, first)) = records.next()? else {
        return Err(invalid(format!("`{name}` is empty")).hint("its first line must hold the headings"));
    };
    let headings = headings(name, &first)?;
    let mut rows = Vec::new();
    while let Some((line, last_line, record)) = records.next()? {
        rows.push(Row { line, cells: cells(&record, &headings, line, last_line) });
    }
    Ok(Source { name: name.to_owned(), format: Format::Csv(char::from(delimiter)), headings, rows })
}

fn headings(name: &str, record: &ByteRecord) -> Result<Vec<String>> {
    let text = |cell: &[u8]| std::str::from_utf8(cell).map(|text| text.trim().to_owned());
    record.iter().map(text).collect::<Result<_, _>>().map_err(|error| {
        invalid(format!("the headings of `{name}` are not UTF-8: {error}")).hint("save it as CSV UTF-8")
    })
}

/// The cells of a record, as many as there are headings.
fn cells(record: &ByteRecord, headings: &[String], line: u64, last_line: u64) -> Result<Vec<Json>, String> {
    let extra = record.iter().skip(headings.len());
    if record.len() < headings.len() || extra.clone().any(|cell| !cell.trim_ascii().is_empty()) {
        let why = format!("the row has {} cells, the heading line {}", record.len(), headings.len());
        if last_line > line {
            return Err(format!("{why}; it runs to line {last_line}: is a quotation mark left open?"));
        }
        return Err(why);
    }
    let cell = |(cell, heading): (&[u8], &String)| {
        std::str::from_utf8(cell).map(|text| Json::from(unguarded(text))).map_err(|_| {
            let shown: String = String::from_utf8_lossy(cell).chars().take(60).collect();
            format!("`{heading}` is not UTF-8: `{shown}`; save the file as CSV UTF-8")
        })
    };
    record.iter().zip(headings).map(cell).collect()
}

/// The text without the apostrophe that our own export puts before what a spreadsheet would run.
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => text,
    }
}

/// The delimiter under which the first rows agree best on a number of cells greater than one.
fn sniff(bytes: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut records = Records::new(bytes, delimiter);
        let Ok(Some((_, _, first))) = records.next() else { return (0, 0) };
        let (mut same, mut all) = (1, 1);
        while all < SNIFFED_ROWS
            && let Ok(Some((_, _, record))) = records.next()
        {
            all += 1;
            same += usize::from(record.len() == first.len());
        }
        if first.len() < 2 { (0, 0) } else { (same * 100 / all, first.len()) }
    };
    let best = DELIMITERS.iter().rev().max_by_key(|&&delimiter| score(delimiter));
    best.copied().unwrap_or(b',')
}

/// Reads records with their first and last line. The reader's own line numbers are behind after blank
/// lines and after line ends of two characters, so lines are counted here.
struct Records<'a> {
    reader: csv::Reader<&'a [u8]>,
    bytes: &'a [u8],
    /// Everything up to here is counted in `line`.
    counted: usize,
    line: u64,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8], delimiter: u8) -> Records<'a> {
        let reader =
            ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(bytes);
        Records { reader, bytes, counted: 0, line: 1 }
    }

    fn next(&mut self) -> Result<Option<(u64, u64, ByteRecord)>> {
        let mut record = ByteRecord::new();
        let start = place(self.reader.position());
        let found = self.reader.read_byte_record(&mut record).map_err(crate::error::internal)?;
        if !found {
            return Ok(None);
        }
        let end = place(self.reader.position());
        let blank = self.bytes.iter().skip(start).take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
        let first = self.line_at(start + blank);
        let body = self.bytes.get(..end).unwrap_or(self.bytes).trim_ascii_end().len();
        let last = self.line_at(body.max(start + blank));
        Ok(Some((first, last, record)))
    }

    fn line_at(&mut self, place: usize) -> u64 {
        let passed = self.bytes.get(self.counted..place).unwrap_or_default();
        self.line += passed.split(|&byte| byte == b'\n').skip(1).count() as u64;
        self.counted = self.counted.max(place);
        self.line
    }
}

fn place(position: &csv::Position) -> usize {
    usize::try_from(position.byte()).unwrap_or(usize::MAX)
}
