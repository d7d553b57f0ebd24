// Parses the option "apis": which addresses a token may go to. Throws "invalid-options" with the name
// of the entry and member; never repeats a value.
import type { ApiOption, ApiSettings } from './auth-options.js';
import {
  type Check,
  checkMembers,
  fitting,
  flag,
  list,
  optional,
  refuse,
  requireKnown,
} from './option-checks.js';
import { isLoopback, isResource, isScope } from './syntax.js';

const APIS_MAX = 64;
/** Fetch Standard, "forbidden method". */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];

const API = {
  origin: fitting(
    isApiOrigin,
    'an origin like "https://api.example.com", as browsers write it and without path; "http:" for this computer only',
  ),
  paths: optional(
    list(
      1,
      64,
      'a list of 1 to 64 paths',
      fitting(isPath, 'a list of paths like "/v1", as browsers write them'),
    ),
    ['/'],
  ),
  methods: optional(
    list(
      1,
      16,
      'a list of 1 to 16 methods',
      fitting(
        (text) => /^[A-Z]{1,32}$/.test(text) && !FORBIDDEN_METHODS.includes(text),
        'a list of methods in capitals, like "GET"',
      ),
    ),
    null,
  ),
  resource: optional(fitting(isResource, 'an absolute URI without fragment (RFC 8707 §2)'), null),
  scopes: optional(
    list(
      1,
      100,
      'a list of 1 to 100 scopes',
      fitting(isScope, 'a list of words without spaces, quotes and backslashes (RFC 6749 §3.3)'),
    ),
    null,
  ),
  pages: optional(flag, false),
} satisfies { [Name in keyof ApiOption]-?: Check };

export const parseApis: Check<readonly ApiSettings[]> = (value, name) => {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(name, 'an object whose members are APIs');
  const entries = Object.entries(value);
  if (entries.length > APIS_MAX || !entries.every(([api]) => /^[\w-]{1,64}$/.test(api)))
    return refuse(name, `an object with at most ${APIS_MAX} members, named by letters and digits`);
  const parsed: ApiSettings[] = [];
  for (const [api, entry] of entries) {
    const place = `${name}.${api}`;
    requireKnown(entry, place, API);
    const next = { name: api, ...checkMembers(entry, API, `${place}.`) };
    const twin = parsed.find((other) => isTwin(other, next));
    if (twin !== undefined) refuse(place, `for other paths or methods than "${name}.${twin.name}"`);
    parsed.push(next);
  }
  return parsed;
};

/** Nothing says which of the two a request is for. */
function isTwin(one: ApiSettings, { origin, paths, methods }: ApiSettings): boolean {
  return (
    one.origin === origin &&
    one.paths.some((path) => paths.includes(path)) &&
    (one.methods === null ||
      methods === null ||
      one.methods.some((method) => methods.includes(method)))
  );
}

function isApiOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return (
    text === origin &&
    !hostname.includes('*') &&
    (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)))
  );
}

function isPath(text: string): boolean {
  return text.startsWith('/') && new URL(text, 'https://api.invalid').pathname === text;
}
