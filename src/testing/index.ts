// Entry latchkey/testing: an identity provider to test against, and a person who signs in there.
// Needs the optional packages oidc-provider and jose. For tests and development only, never for an
// app.
export { startProvider } from './provider.js';
export type { Provider, ProviderEndpoints } from './provider.js';
export type { ProviderOptions } from './server/provider-options.js';
export { personalityFacts } from './personalities/personalities.js';
export { isPersonalityName, PERSONALITY_NAMES } from './server/provider-options.js';
export type { PersonalityName } from './server/provider-options.js';
export type { Platform, RegisteredRedirect, RegistrationChange } from './server/registration.js';
export type { ApiChallenge } from './server/personality.js';
export { createVirtualClock } from './server/virtual-clock.js';
export type { ClockLike, VirtualClock } from './server/virtual-clock.js';
export type {
  Fault,
  FaultCount,
  FaultTarget,
  IdTokenChange,
  TokenGrantType,
} from './server/faults.js';
export type { Endpoint } from './server/exchange.js';
export type { IssuedKind, IssuedSecret, RequestRecord } from './server/ledger.js';
export type { PersonClaims } from './server/people.js';
export { subjectOf } from './server/people.js';
export type { SigningAlgorithm } from './server/signing-keys.js';
export { createPerson } from './person/person.js';
export type { Person, PersonOptions, SignInOutcome } from './person/person.js';
export type { SignInChoices } from './person/page-person.js';
export { signInWithPage } from './person/page-person.js';
export type { PageLike, PageSignInChoices } from './person/page-person.js';
export { enterCodeWithPage } from './person/device-person.js';
export type { PageUserCodeChoices, UserCodeOutcome } from './person/device-person.js';
