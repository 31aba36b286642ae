//! L3, throughput: keeps every core busy with a kernel. It knows jobs, ranges, headers and merkle
//! trees; it knows nothing of pools, peers, transactions or disks.

pub mod merkle;
pub mod nodes;
pub mod pool;
pub mod verify;
