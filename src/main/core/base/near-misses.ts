// Tells the log once what is near a redirect of this app but is none, because a registration with a
// slip looks like a person who never comes back. May not take a value: details are written here.
import type { Log } from './ports.js';

const DETAILS = {
  'scheme path': 'an answer came to a URL of our scheme that is no redirect',
  'scheme text': 'a callback is too long, or has characters that must be encoded in a URL',
  'loopback path': 'an answer came to another path of the loopback redirect',
  'loopback method': 'the loopback redirect was asked by another method than GET (form_post?)',
  'loopback host': 'the loopback redirect was asked by another name of this computer',
  'loopback page': 'a page embeds or fetches the loopback redirect',
  'loopback length': 'the callback is too long',
  none: 'matches no redirect that is open',
} as const;

export type NearMiss = keyof typeof DETAILS;

/** One event for each kind; as long as the result lives. */
export function createNearMisses(log: Log): (kind: NearMiss) => void {
  const told = new Set<NearMiss>();
  return (kind) => {
    if (told.has(kind)) return;
    told.add(kind);
    log.write({ level: 'warn', event: 'callback-foreign', fields: { detail: DETAILS[kind] } });
  };
}
