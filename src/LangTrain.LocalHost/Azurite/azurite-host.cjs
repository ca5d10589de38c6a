'use strict';
// Runs Azurite in this process and stops it when standard input ends. The parent holds the other end of that pipe, so Azurite
// also stops (and saves: its databases are written every five seconds and when it closes) when the parent was killed.
const script = process.argv[2];
process.argv.splice(1, 2, script);

const services = 3;
let closed = 0;
let stopping = false;
const log = console.log;
console.log = (...words) => {
  log(...words);
  if (String(words[0]).endsWith('service successfully closed') && ++closed === services) {
    process.exit(0);
  }
};

function stop() {
  if (stopping) {
    return;
  }
  stopping = true;
  process.emit('SIGTERM');
  setTimeout(() => process.exit(1), 15000).unref();
}

// Ctrl-C reaches the whole foreground process group. Azurite must outlive the app that still writes to it: the parent says when.
process.on('SIGINT', () => { });
const once = process.once;
process.once = function (event, listener) {
  return event === 'SIGINT' ? this : once.call(this, event, listener);
};

process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
// A parent that died with its pipe is also one that no longer reads what is printed.
process.stdout.on('error', () => { });
process.stderr.on('error', () => { });

// Blobs go through Azurite in steps of 64 KB, each of which costs its one thread as much as a larger one.
const fs = require('fs');
const stepBytes = 1 << 20;
require('stream').setDefaultHighWaterMark(false, stepBytes);
const { createReadStream } = fs;
fs.createReadStream = (path, options) => createReadStream(path, { highWaterMark: stepBytes, ...options });

const persistence = require('path').join(require('path').dirname(script), 'table', 'persistence');
require('./azurite-table-ranges.cjs').install(
  require(`${persistence}/LokiTableMetadataStore.js`).default, require(`${persistence}/LokiTableStoreQueryGenerator.js`).default);
require(script);
