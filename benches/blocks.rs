//! A text as the engine takes it: blocks of whole lines, with the end of every line.

use std::ops::Range;

/// Bytes of whole lines handed over at a time.
pub const BLOCK: usize = 256 << 10;

/// Whole lines.
pub struct Block {
    pub range: Range<usize>,
    /// Where each line ends, counted from the beginning of the block.
    pub ends: Vec<u32>,
}

/// Cuts a text behind the line that fills a block.
pub fn cut(text: &[u8]) -> Vec<Block> {
    let (mut blocks, mut start, mut ends) = (Vec::new(), 0, Vec::new());
    for newline in memchr::memchr_iter(b'\n', text) {
        ends.push((newline + 1 - start) as u32);
        if newline + 1 - start >= BLOCK {
            blocks.push(Block { range: start..newline + 1, ends: std::mem::take(&mut ends) });
            start = newline + 1;
        }
    }
    if !ends.is_empty() {
        blocks.push(Block { range: start..text.len(), ends });
    }
    blocks
}
