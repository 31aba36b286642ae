// stratum-pool-sha256, a pool of the NOMP family, on a node that is played here; our miner has to find
// shares that it accepts, and none that it refuses. No share is a block: the network's target is far away.
'use strict';
const http = require('http');
const net = require('net');
const { spawn } = require('child_process');
const Stratum = require('stratum-pool-sha256');

const SHARES = 20;
// The pool talks a lot to itself.
const tell = console.log;
console.log = () => {};
const template = {
  version: 0x20000000, rules: ['csv', '!segwit'], transactions: [], coinbaseaux: { flags: '' },
  previousblockhash: '05'.repeat(32), coinbasevalue: 312500000, height: 840123,
  bits: '1903a30c', target: '00'.repeat(7) + '03a30c' + '00'.repeat(22),
  curtime: Math.floor(Date.now() / 1000), mintime: 0, mutable: ['time'], noncerange: '00000000ffffffff',
};
const answers = {
  validateaddress: { isvalid: true, address: 'x', scriptPubKey: '76a914' + '11'.repeat(20) + '88ac' },
  getdifficulty: 1e12, getmininginfo: { networkhashps: 1 }, getpeerinfo: [],
  getblockchaininfo: { chain: 'main', difficulty: 1e12, blocks: 840122 },
  getnetworkinfo: { protocolversion: 70016, connections: 1 }, getblocktemplate: template,
};

function answer(call) {
  const found = answers[call.method];
  if (found === undefined) return { id: call.id, result: null, error: { code: -1, message: 'usage' } };
  return { id: call.id, result: found, error: null };
}

const node = http.createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => { body += piece; });
  request.on('end', () => {
    const calls = JSON.parse(body);
    const said = JSON.stringify(Array.isArray(calls) ? calls.map(answer) : answer(calls));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(said);
  });
});

function freePort(then) {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => then(port));
  });
}

node.listen(0, '127.0.0.1', () => freePort((port) => {
  const pool = Stratum.createPool({
    coin: { name: 'Played', symbol: 'PLY', algorithm: 'sha256', asicboost: true },
    address: 'x', blockRefreshInterval: 0, jobRebroadcastTimeout: 55, connectionTimeout: 600,
    rewardRecipients: {}, banning: { enabled: false }, ports: { [port]: { diff: 0.00005 } },
    daemons: [{ host: '127.0.0.1', port: node.address().port, user: 'u', password: 'p' }],
  }, (ip, where, worker, password, then) => then({ error: null, authorized: true, disconnect: false }));
  let accepted = 0;
  let miner;
  const end = (code) => {
    if (miner) miner.kill('SIGTERM');
    process.exit(code);
  };
  pool.on('log', (severity, text) => { if (severity === 'error') console.error(text); });
  pool.on('share', (isValid, isBlock, share) => {
    if (!isValid) {
      console.error('refused:', JSON.stringify(share));
      end(1);
    }
    accepted += 1;
    if (accepted === SHARES) {
      tell(`stratum-pool-sha256 accepted ${accepted} shares of our miner and refused none`);
      end(0);
    }
  });
  pool.on('started', () => {
    miner = spawn(process.argv[2], ['mine', '--url', `stratum+tcp://127.0.0.1:${port}`, '--user', 'worker.1'],
      { stdio: ['ignore', 'ignore', 'inherit'] });
    miner.on('exit', (code) => { console.error(`the miner ended with ${code}`); process.exit(1); });
  });
  pool.start();
  setTimeout(() => { console.error(`only ${accepted} shares in two minutes`); end(1); }, 120000);
}));
