//! Headers of Bitcoin's main chain that a search must find again.

pub(crate) struct RealBlock {
    pub(crate) height: u32,
    pub(crate) nonce: u32,
    /// As it is hashed.
    pub(crate) header: &'static str,
    /// In display order.
    pub(crate) hash: &'static str,
}

pub(crate) const REAL: [RealBlock; 6] = [
    RealBlock {
        height: 0,
        nonce: 2_083_236_893,
        header: "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2\
         7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
        hash: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    },
    RealBlock {
        height: 1,
        nonce: 2_573_394_689,
        header: "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744\
         bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299",
        hash: "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
    },
    RealBlock {
        height: 170,
        nonce: 1_889_418_792,
        header: "0100000055bd840a78798ad0da853f68974f3d183e2bd1db6a842c1feecf222a00000000ff104ccb05421ab9\
         3e63f8c3ce5c2c2e9dbb37de2764b3a3175c8166562cac7d51b96a49ffff001d283e9e70",
        hash: "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee",
    },
    RealBlock {
        height: 32_256,
        nonce: 121_087_187,
        header: "010000004b0360d834a330ec7833e30e1f523ee05a0793361e29a73421964f980000000027b64a020af294e9\
         03feed93768705336a20090612a043f47af462a2f5e5b564f8ee3a4b6ad8001dd3a43707",
        hash: "000000004f2886a170adb7204cb0c7a824217dd24d11a74423d564c4e0904967",
    },
    RealBlock {
        height: 703_583,
        nonce: 402_259_399,
        header: "04e0ff375b4ad0374e6ef29228f52bcc02232c3c6fc02bc898a80c00000000000000000010dfa758bb01ddd8\
         34463705e59d702cf2588d6f1ec49765270b4f918f63b9a7cf8d5b61ebd00e17c7fdf917",
        hash: "0000000000000000000e1c751629fb7e8112c37eda91f9f6d8e223cd2ee50c05",
    },
    RealBlock {
        height: 832_608,
        nonce: 1_119_900_020,
        header: "0060d82ff55e6dd124f5df33004d1e34889b47b9d13838c82b0e01000000000000000000dbd0fb726f812f5f\
         83b0fd7a5a8fce9937f9f05f172f58cdf6a0f9317cce09183125e165128c03177451c042",
        hash: "00000000000000000001e529aa1b6b7433794e9b33723be85daeab7fdaabf1c0",
    },
];
