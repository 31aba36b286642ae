//! HTTP: the sockets that every port of it shares ([`serve`]), whom browsers may not bring ([`guard`]),
//! and the port for those who watch the node ([`status`]), who see the same of the workers of every door.

pub mod guard;
pub mod serve;
pub mod status;
pub(super) mod workers;
