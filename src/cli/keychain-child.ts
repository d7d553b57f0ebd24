// Runs in a child process of `latchkey doctor`: there keytar may hang or crash, and is killed
// without harm.
import { answer, loadKeytar } from '../main/adapters/secrets/keychain-worker.js';
import type { WorkerRequest } from '../main/adapters/secrets/keychain-protocol.js';

process.on(
  'message',
  (request) =>
    void answer(loadKeytar, request as WorkerRequest).then((reply) => process.send?.(reply)),
);
process.on('disconnect', () => process.exit(0));
