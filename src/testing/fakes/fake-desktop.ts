// The desktop of a process on Linux: its own data folders and stand-ins for the xdg tools. So a
// test registers its scheme without changing the real desktop, and without installed tools.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Keeps each scheme's handler in a file of its own. `xdg-mime default FILE TYPE` and `xdg-mime
 * query default TYPE`.
 */
const XDG_MIME = `#!/bin/sh
folder="$XDG_DATA_HOME/handlers"
mkdir -p "$folder"
name() { printf '%s' "$1" | tr '/' '_'; }
case "$1" in
  default) printf '%s' "$2" > "$folder/$(name "$3")" ;;
  query) cat "$folder/$(name "$3")" 2>/dev/null || true ;;
esac
`;

/**
 * Points this process, and what it starts, at a desktop in the folder. Does nothing on other
 * systems.
 */
export function useFakeDesktop(folder: string): void {
  if (process.platform !== 'linux') return;
  const tools = join(folder, 'tools');
  mkdirSync(tools, { recursive: true, mode: 0o700 });
  for (const [name, text] of [
    ['xdg-mime', XDG_MIME],
    ['update-desktop-database', '#!/bin/sh\n'],
  ] as const) {
    const path = join(tools, name);
    writeFileSync(path, text);
    chmodSync(path, 0o700);
  }
  process.env['XDG_DATA_HOME'] = join(folder, 'data');
  process.env['XDG_CONFIG_HOME'] = join(folder, 'config');
  process.env['PATH'] = `${tools}${delimiter}${process.env['PATH'] ?? ''}`;
}
