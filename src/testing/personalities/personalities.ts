// The personalities by name. Each has a file of its own, in which every rule names its source.
import { createEntra } from './entra.js';
import { createGithub } from './github.js';
import { createGoogle } from './google.js';
import { createKeycloak } from './keycloak.js';
import { createLegacy } from './legacy.js';
import { createOkta } from './okta.js';
import { createStrict } from './strict.js';
import type { Personality } from '../server/personality.js';
import type { PersonalityName } from '../server/provider-options.js';

const FACTORIES: Readonly<Record<PersonalityName, (graceSeconds: number | null) => Personality>> = {
  strict: createStrict,
  legacy: createLegacy,
  entra: createEntra,
  google: createGoogle,
  github: createGithub,
  keycloak: createKeycloak,
  okta: createOkta,
};

/** Makes one that has seen nothing yet. `graceSeconds` null: as the model has it. */
export function createPersonality(
  name: PersonalityName,
  graceSeconds: number | null = null,
): Personality {
  return FACTORIES[name](graceSeconds);
}

/** The rules of a personality, one sentence each, with their sources. */
export function personalityFacts(
  name: PersonalityName,
): readonly { readonly fact: string; readonly source: string }[] {
  return createPersonality(name).rules.map(({ fact, source }) => ({ fact, source }));
}
