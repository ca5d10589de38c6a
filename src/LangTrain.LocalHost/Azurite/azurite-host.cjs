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
require(script);
