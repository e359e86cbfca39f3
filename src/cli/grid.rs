//! Rows as an aligned text table, cut to a width when there is one.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::output::{FAINT, harmless, styled};

/// The narrowest that a cut column gets.
const NARROWEST: usize = 8;
const GAP: &str = "  ";

/// Headings and rows of texts. A column whose cells are all numbers stands to the right.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(super) fn new<S: Into<String>>(headings: impl IntoIterator<Item = S>) -> Grid {
        Grid { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| harmless(&cell.into())).collect());
    }

    /// The lines of the table. With a `width` the widest columns are cut until it fits.
    pub(super) fn render(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let right: Vec<bool> = (0..widths.len()).map(|column| self.is_numeric(column)).collect();
        let line = |cells: &[String]| {
            let cells = widths.iter().enumerate().map(|(column, &width)| {
                let cell = cut(cells.get(column).map_or("", String::as_str), width);
                let space = " ".repeat(width - cell.width());
                if right[column] { space + &cell } else { cell + &space }
            });
            cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        let heading = styled(FAINT, line(&self.headings));
        std::iter::once(heading).chain(self.rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let widest = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.chain(self.headings.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.headings.len()).map(widest).collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let Some(room) = limit.map(|limit| limit.saturating_sub(gaps)) else { return widths };
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn is_numeric(&self, column: usize) -> bool {
        let mut cells =
            self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).peekable();
        let number = |cell: &String| cell.replace(',', "").parse::<f64>().is_ok();
        cells.peek().is_some() && cells.all(number)
    }
}

/// The text, or as much of it as fits with an ellipsis behind.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn numbers_stand_to_the_right_and_wide_letters_count_twice() {
        let mut grid = Grid::new(["name", "n"]);
        grid.row(["Ann", "7"]);
        grid.row(["日本", "1,200"]);
        assert_eq!(plain(&grid.render(None)), "name      n\nAnn       7\n日本  1,200");
    }

    #[test]
    fn the_widest_column_is_cut_first() {
        let mut grid = Grid::new(["a", "b"]);
        grid.row(["short", "a rather\u{1b}long sentence\nin two lines"]);
        assert_eq!(plain(&grid.render(Some(20))), "a      b\nshort  a rather lon…");
    }
}
