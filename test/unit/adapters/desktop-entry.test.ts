import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  desktopEntryText,
  execValue,
  launcherText,
  needsLauncher,
  readDesktopEntry,
  readLauncher,
} from '../../../src/main/adapters/custom-scheme/desktop-entry.js';

describe('the text of a .desktop file', () => {
  it('is the whole file, hidden from menus, with one URL as its argument', () => {
    expect(
      desktopEntryText({
        name: 'Notes',
        scheme: 'com.example.notes',
        words: ['/opt/notes/notes', '--user-data-dir=/home/a/.config/Notes'],
      }),
    ).toBe(
      [
        '[Desktop Entry]',
        'Type=Application',
        'Version=1.0',
        'Name=Notes',
        'Comment=Brings sign-ins back into the app. Written by Latchkey at each start',
        'Exec=/opt/notes/notes --user-data-dir=/home/a/.config/Notes %u',
        'Terminal=false',
        'NoDisplay=true',
        'StartupNotify=true',
        'MimeType=x-scheme-handler/com.example.notes;',
        '',
      ].join('\n'),
    );
  });

  it('cannot be given another line by the name of an app', () => {
    const text = desktopEntryText({
      name: 'A\nExec=/bin/evil\rB\\',
      scheme: 'com.example.a',
      words: ['/bin/a'],
    });
    expect(text.match(/^Exec=/gm)).toHaveLength(1);
    expect(text).toContain('Name=A\\nExec=/bin/evil\\rB\\\\\n');
  });

  it('has the scheme as name when the app has none', () => {
    expect(desktopEntryText({ name: '', scheme: 'com.example.a', words: ['/bin/a'] })).toContain(
      '\nName=com.example.a\n',
    );
  });
});

describe('the value of Exec', () => {
  // Quoted by the rules of Exec, then each backslash doubled by the rules of strings.
  it.each([
    ['/plain/path', '/plain/path'],
    ['/with blank', '"/with blank"'],
    ['', '""'],
    ['100%', '100%%'],
    ['a"b', '"a\\\\"b"'],
    ['a$b`c', '"a\\\\$b\\\\`c"'],
    ['a\\b', '"a\\\\\\\\b"'],
    ["it's", '"it\'s"'],
    ['a\nb', '"a\\nb"'],
    ['a;b&c|d', '"a;b&c|d"'],
  ])('quotes and escapes %j as %s', (word, quoted) => {
    expect(execValue([word])).toBe(quoted);
  });

  it('keeps words apart by one blank', () => {
    expect(execValue(['/a', '--b=c d', 'e'])).toBe('/a "--b=c d" e');
  });
});

describe('the launcher', () => {
  it.each([
    [['/usr/bin/app', '--user-data-dir=/home/ann/.config/App', '--no-sandbox'], false],
    [['/home/ann/My Apps/app'], true],
    [['/opt/app', '--user-data-dir=/home/ann/.config/My App'], true],
    [['/opt/100%/app'], true],
    [["/opt/it's/app"], true],
    [['/opt/$HOME/app'], true],
    [['/opt/a=b/app'], true],
    [['/opt/ünï/app'], true],
    [['/opt/app', ''], true],
  ])('for %j is needed: %s', (words, needed) => {
    expect(needsLauncher(words)).toBe(needed);
  });

  it('quotes every word for the shell and hands the URL on as one word', () => {
    expect(launcherText(["/it's/app", '--a=$(b) c'])).toBe(
      `#!/bin/sh\n# Written by Latchkey at each start.\nexec '/it'\\''s/app' '--a=$(b) c' "$@"\n`,
    );
  });
});

describe('a .desktop file that is read', () => {
  it('gives back every command that was written', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc
            .string({ unit: 'grapheme', minLength: 1 })
            .filter(
              (word) => !/[\r\n\t\0]/.test(word) && word.trim() === word && !/^%[a-z]$/i.test(word),
            ),
          { minLength: 1, maxLength: 6 },
        ),
        (words) => {
          const entry = readDesktopEntry(
            desktopEntryText({ name: 'Notes', scheme: 'com.example.notes', words }),
          );
          expect(entry.words).toEqual(words);
          expect(readLauncher(launcherText(words))).toEqual(words);
        },
      ),
      // A separator of lines elsewhere, and a letter here.
      { examples: [[['!\u2028!', '!']]] },
    );
  });

  it('tells its name, its types, whether it takes a URL and who wrote it', () => {
    const text = desktopEntryText({
      name: 'A\\B',
      scheme: 'com.example.notes',
      words: ['/opt/notes'],
    });
    expect(readDesktopEntry(text)).toEqual({
      name: 'A\\B',
      words: ['/opt/notes'],
      takesUrl: true,
      mimeTypes: ['x-scheme-handler/com.example.notes'],
      isOurs: true,
    });
  });

  it('reads what a package installs', () => {
    const text =
      '[Desktop Entry]\nName=Notes\nName[de]=Notizen\nExec="/opt/My Notes/notes" --flag %U\nMimeType=x-scheme-handler/com.example.notes;text/plain;\n\n[Desktop Action new]\nExec=/bin/false\n';
    expect(readDesktopEntry(text)).toEqual({
      name: 'Notes',
      words: ['/opt/My Notes/notes', '--flag'],
      takesUrl: true,
      mimeTypes: ['x-scheme-handler/com.example.notes', 'text/plain'],
      isOurs: false,
    });
  });

  it.each([
    ['no Exec', '[Desktop Entry]\nName=x\n'],
    ['a quote that does not end', '[Desktop Entry]\nExec="/opt/notes %u\n'],
    ['text outside of its group', 'Exec=/opt/notes %u\n'],
    ['nothing at all', ''],
    ['noise', '\u0000\u0001[[[===\n=\n'],
  ])('has no command when there is %s', (_name, text) => {
    expect(readDesktopEntry(text)).toMatchObject({ words: [], takesUrl: false, isOurs: false });
  });

  it('is no launcher when somebody else wrote it', () => {
    expect(readLauncher('#!/bin/sh\nexec \'/opt/notes\' "$@"\n')).toBeNull();
    expect(readLauncher('')).toBeNull();
  });
});
