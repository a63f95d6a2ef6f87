//! The codes of errors and their pages, embedded so that `logveil explain LV0203` works offline.

/// The pages, one `## LVxxxx title` each.
const PAGES: &str = include_str!("../../docs/errors.md");

/// The page of a code such as `LV0203`, in any letter case.
pub fn page(code: &str) -> Option<&'static str> {
    let code = code.to_ascii_uppercase();
    pages().find(|page| page[3..].split(' ').next() == Some(code.as_str()))
}

/// Every page.
pub fn pages() -> impl Iterator<Item = &'static str> {
    let starts = PAGES.match_indices("\n## LV").map(|(at, _)| at + 1);
    starts.map(|start| {
        let end = PAGES[start + 1..].find("\n## ").map_or(PAGES.len(), |end| start + 1 + end);
        PAGES[start..end].trim_end()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_page_with_a_next_step() {
        let codes: Vec<&str> = pages().map(|page| page[3..].split(' ').next().expect("a code")).collect();
        assert!(codes.len() >= 10);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice: {codes:?}");
        for code in codes {
            let page = page(code).expect(code);
            assert!(page.contains("**What to do**"), "{code}");
        }
        assert_eq!(page("lv0203").map(|page| &page[..9]), Some("## LV0203"));
        assert_eq!(page("LV9999"), None);
    }
}
