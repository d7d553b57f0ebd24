import { describe, expect, it } from 'vitest';
import { desktopEntryText, execValue, launcherText, needsLauncher } from '../../src/main/adapters/desktop-entry.js';

describe('the text of a .desktop file', () => {
  it('is the whole file, hidden from menus, with one URL as its argument', () => {
    expect(desktopEntryText({ name: 'Notes', scheme: 'com.example.notes', words: ['/opt/notes/notes', '--user-data-dir=/home/a/.config/Notes'] })).toBe(
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
    const text = desktopEntryText({ name: 'A\nExec=/bin/evil\rB\\', scheme: 'com.example.a', words: ['/bin/a'] });
    expect(text.match(/^Exec=/gm)).toHaveLength(1);
    expect(text).toContain('Name=A\\nExec=/bin/evil\\rB\\\\\n');
  });

  it('has the scheme as name when the app has none', () => {
    expect(desktopEntryText({ name: '', scheme: 'com.example.a', words: ['/bin/a'] })).toContain('\nName=com.example.a\n');
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
    expect(launcherText(["/it's/app", '--a=$(b) c'])).toBe(`#!/bin/sh\n# Written by Latchkey at each start.\nexec '/it'\\''s/app' '--a=$(b) c' "$@"\n`);
  });
});
