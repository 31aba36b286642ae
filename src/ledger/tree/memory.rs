//! The pages of a tree in memory.

use std::collections::HashMap;
use std::convert::Infallible;

use super::key::PagePath;
use super::page::Page;
use super::pages::Pages;
use super::update::PageChange;

/// A whole tree, for replay and tests; at first without entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryPages {
    pages: HashMap<PagePath, Page>,
}

impl MemoryPages {
    /// Writes changed pages.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = PageChange>) {
        for (path, page) in changes {
            match page {
                Some(page) => self.pages.insert(path, page),
                None => self.pages.remove(&path),
            };
        }
    }

    /// How many pages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether the tree has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Every page, in the order of their paths.
    #[must_use]
    pub fn to_sorted(&self) -> Vec<(PagePath, Page)> {
        let mut pages: Vec<_> =
            self.pages.iter().map(|(path, page)| (*path, page.clone())).collect();
        pages.sort_unstable_by_key(|(path, _)| *path);
        pages
    }
}

impl Pages for MemoryPages {
    type Error = Infallible;

    fn page(&self, path: &PagePath) -> Result<Option<Page>, Infallible> {
        Ok(self.pages.get(path).cloned())
    }
}
