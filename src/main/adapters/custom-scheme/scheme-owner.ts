// Finds which program owns a scheme now, and its command. Asks the operating system and changes
// nothing. Linux: xdg-mime and .desktop files. Windows: the registry. macOS: Electron's own
// question. The last two not verified there.
import type { App } from 'electron';
import type { SchemeOwner, SchemeRival } from '../../diagnosis/facts.js';
import { type Environment, runTool } from '../run-tool.js';
import { queryHandler } from './scheme-linux.js';
import { findOwnerOnWindows } from './scheme-windows.js';
import { findClaims, findEntry, programOf } from './xdg-applications.js';

export interface OwnerQuery {
  readonly scheme: string;
  readonly platform: NodeJS.Platform;
  readonly env: Environment;
  readonly timeoutMs: number;
  /** Electron's app, on macOS the only way to ask. */
  readonly app?: Pick<App, 'getApplicationInfoForProtocol'>;
}

/** Bounded by `timeoutMs`; never rejects. */
export async function findSchemeOwner({
  scheme,
  platform,
  env,
  timeoutMs,
  app,
}: OwnerQuery): Promise<SchemeOwner> {
  switch (platform) {
    case 'linux':
      return await findOwnerOnLinux(scheme, env, timeoutMs);
    case 'win32':
      return await findOwnerOnWindows(scheme, env, timeoutMs);
    case 'darwin':
      if (app === undefined)
        return { state: 'unknown', detail: 'on macOS only the running app can ask' };
      return await app.getApplicationInfoForProtocol(`${scheme}:`).then(
        ({ name, path }): SchemeOwner => ({ state: 'owned', name, command: [path], isThere: null }),
        (): SchemeOwner => ({ state: 'nobody' }),
      );
    default:
      return { state: 'unknown', detail: 'not known on this platform' };
  }
}

/** Other programs that claim to open the scheme. Null: only Linux has a list of them. */
export async function findSchemeRivals(
  { scheme, platform, env }: Pick<OwnerQuery, 'scheme' | 'platform' | 'env'>,
  ownerName: string,
): Promise<readonly SchemeRival[] | null> {
  if (platform !== 'linux') return null;
  const claims = await findClaims(scheme, env);
  return claims
    .filter(({ id }) => id !== ownerName)
    .map(({ id, command }) => ({ name: id, command }));
}

async function findOwnerOnLinux(
  scheme: string,
  env: Environment,
  timeoutMs: number,
): Promise<SchemeOwner> {
  const asked = await queryHandler(scheme, (program, args) =>
    runTool(program, args, env, timeoutMs),
  );
  if (asked.state === 'missing')
    return { state: 'unknown', detail: 'xdg-mime is missing (Debian package: xdg-utils)' };
  if (asked.state === 'late')
    return { state: 'unknown', detail: 'xdg-mime does not answer in time' };
  if (asked.output === '') return { state: 'nobody' };
  const entry = await findEntry(asked.output, env);
  if (entry === null) return { state: 'owned', name: asked.output, command: [], isThere: false };
  return {
    state: 'owned',
    name: entry.id,
    command: entry.command,
    isThere: (await programOf(entry.command, env)) !== null,
  };
}
