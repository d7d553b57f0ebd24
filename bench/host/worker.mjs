// @ts-check
// The smallest keychain worker that there can be: reads one entry, says it, and is done.
import keytar from 'keytar';

const [service = '', account = ''] = process.argv.slice(2);
void keytar
  .getPassword(service, account)
  .then((value) => process.parentPort.postMessage(value ?? ''));
