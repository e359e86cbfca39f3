//! The routers of a process, each kept until its organization's catalog changes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Router;
use crate::store::Org;
use crate::tables::Catalog;

#[derive(Debug, Default)]
pub struct Routers {
    loaded: RwLock<HashMap<Org, Arc<Router>>>,
}

impl Routers {
    /// The organization's router for this catalog.
    pub fn get(&self, catalog: &Arc<Catalog>) -> Arc<Router> {
        let known = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(&catalog.org).cloned();
        if let Some(router) = known.filter(|router| router.version() == catalog.version) {
            return router;
        }
        let router = Arc::new(Router::new(Arc::clone(catalog)));
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).insert(catalog.org, Arc::clone(&router));
        router
    }
}
