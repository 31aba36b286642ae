//! Where pages are read from.

use super::key::PagePath;
use super::page::Page;

/// A view of the pages of one tree, which does not change while it is used.
pub trait Pages {
    /// Why a page could not be read; bytes that [`Page::decode`] refuses are such a reason.
    type Error;

    /// The page at `path`, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// The store failed, or what it holds is no page.
    fn page(&self, path: &PagePath) -> Result<Option<Page>, Self::Error>;
}

impl<P: Pages + ?Sized> Pages for &P {
    type Error = P::Error;

    fn page(&self, path: &PagePath) -> Result<Option<Page>, P::Error> {
        (**self).page(path)
    }
}

/// Why the pages of a tree are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError<E> {
    /// A page could not be read.
    #[error("state page {path} cannot be read")]
    Store {
        /// Where it is.
        path: PagePath,
        /// Why.
        source: E,
    },
    /// The root or the page above says that a page is here.
    #[error("state page {path} is missing")]
    Missing {
        /// Where it should be.
        path: PagePath,
    },
    /// A page holds what cannot stand there.
    #[error("state page {path} holds the page of another place")]
    Misplaced {
        /// Where it is.
        path: PagePath,
    },
    /// A page does not have the hash that the root or the page above gives it.
    #[error("state page {path} does not have the hash that stands above it")]
    WrongHash {
        /// Where it is.
        path: PagePath,
    },
}

/// The page at `path`, if there is one.
pub(super) fn read<P: Pages>(
    pages: &P,
    path: PagePath,
) -> Result<Option<Page>, PagesError<P::Error>> {
    pages.page(&path).map_err(|source| PagesError::Store { path, source })
}

/// The page at `path`, which must be there.
pub(super) fn expect_page<P: Pages>(
    pages: &P,
    path: PagePath,
) -> Result<Page, PagesError<P::Error>> {
    read(pages, path)?.ok_or(PagesError::Missing { path })
}
