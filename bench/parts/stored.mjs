// @ts-check
// What Latchkey stored in a profile: only the name of the keychain's entry, which its state file
// tells.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param {import('../../scripts/lab/lab.mjs').Lab} lab
 * @param {string} profile
 * @returns {Promise<string>} the account name under which the record is kept
 */
export async function recordOf(lab, profile) {
  const state = /** @type {{ lastAccountId: string }} */ (
    JSON.parse(readFileSync(join(lab.home, 'profiles', profile, 'latchkey.json'), 'utf8'))
  );
  return `session:${state.lastAccountId}`;
}
