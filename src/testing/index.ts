// Entry latchkey/testing: an identity provider to test against, and a person who signs in there.
// Needs the optional packages oidc-provider and jose; belongs into tests and desks, never into an
// app.
export { startProvider } from './provider.js';
export type { Provider, ProviderEndpoints } from './provider.js';
export type { ProviderOptions } from './provider-options.js';
export { isPersonalityName, PERSONALITY_NAMES, personalityFacts } from './personalities.js';
export type { PersonalityName } from './personalities.js';
export type { Platform, RegisteredRedirect, RegistrationChange } from './registration.js';
export type { ApiChallenge } from './personality.js';
export { createVirtualClock } from './virtual-clock.js';
export type { ClockLike, VirtualClock } from './virtual-clock.js';
export type { Fault, FaultCount, FaultTarget, IdTokenChange, TokenGrantType } from './faults.js';
export type { Endpoint } from './exchange.js';
export type { IssuedKind, IssuedSecret, RequestRecord } from './ledger.js';
export type { PersonClaims } from './people.js';
export { subjectOf } from './people.js';
export type { SigningAlgorithm } from './signing-keys.js';
export { createPerson } from './person.js';
export type { Person, PersonOptions, SignInChoices, SignInOutcome } from './person.js';
export { signInWithPage } from './page-person.js';
export type { PageLike, PageSignInChoices } from './page-person.js';
export { enterCodeWithPage } from './device-person.js';
export type { PageUserCodeChoices, UserCodeOutcome } from './device-person.js';
