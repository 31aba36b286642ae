//! HTTP: the sockets that every port of it shares ([`serve`]), whom browsers may not bring ([`guard`]),
//! and the port for those who watch the node ([`status`]).

pub mod guard;
pub mod serve;
pub mod status;
