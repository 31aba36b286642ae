// stratum-client, a library that mines nothing, with string ids and messages split by chunk: it has to
// connect to our node, subscribe, be authorized and be given a difficulty and a job.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');
const client = require('stratum-client');

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peers-'));
const node = spawn(process.argv[2], ['node', '--dir', path.join(dir, 'chain'), '--stratum', '127.0.0.1:0',
  '--rpc', 'off', '--http', 'off', '--format', 'json'], { stdio: ['ignore', 'pipe', 'inherit'] });
const wanted = new Set(['connected', 'subscribed', 'authorized', 'difficulty', 'job']);
let isOver = false;

function end(code) {
  isOver = true;
  node.on('exit', () => {
    fs.rmSync(dir, { recursive: true, force: true });
    process.exit(code);
  });
  node.kill('SIGTERM');
}

function saw(what) {
  wanted.delete(what);
  if (wanted.size === 0 && !isOver) {
    console.log('stratum-client shook hands with our server: difficulty and job received');
    end(0);
  }
}

let said = '';
node.stdout.on('data', (piece) => {
  const before = said;
  said += piece;
  if (before.includes('\n') || !said.includes('\n')) return;
  const [server, port] = JSON.parse(said.split('\n')[0]).stratum.split(':');
  client({
    server, port: Number(port), worker: 'peer', password: 'd=0.001', autoReconnectOnError: false,
    onConnect: () => saw('connected'),
    onSubscribe: () => saw('subscribed'),
    onAuthorizeSuccess: () => saw('authorized'),
    onAuthorizeFail: () => { console.error('not authorized'); end(1); },
    onNewDifficulty: () => saw('difficulty'),
    onNewMiningWork: () => saw('job'),
    onError: (error) => { if (!isOver) { console.error(error); end(1); } },
    onClose: () => {},
  });
});
setTimeout(() => { console.error('still wanted:', [...wanted].join(', ')); end(1); }, 60000);
