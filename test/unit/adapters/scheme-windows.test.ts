import { describe, expect, it } from 'vitest';
import {
  readRegistryValue,
  splitWindowsCommand,
} from '../../../src/main/adapters/custom-scheme/scheme-windows.js';

describe('the output of reg query', () => {
  it.each([
    [
      'English',
      '\r\nHKEY_CURRENT_USER\\Software\\Classes\\com.example.notes\\shell\\open\\command\r\n    (Default)    REG_SZ    "C:\\Notes\\Notes.exe" "--latchkey-link" "--" "%1"\r\n\r\n',
    ],
    [
      'German',
      '\r\nHKEY_CURRENT_USER\\Software\\Classes\\com.example.notes\\shell\\open\\command\r\n    (Standard)    REG_SZ    "C:\\Notes\\Notes.exe" "--latchkey-link" "--" "%1"\r\n',
    ],
    [
      'expanded',
      '\r\nHKEY_CLASSES_ROOT\\com.example.notes\\shell\\open\\command\r\n    (Default)    REG_EXPAND_SZ    "C:\\Notes\\Notes.exe" "--latchkey-link" "--" "%1"\r\n',
    ],
  ])('gives the command (%s)', (_name, output) => {
    expect(readRegistryValue(output)).toBe('"C:\\Notes\\Notes.exe" "--latchkey-link" "--" "%1"');
  });

  it.each([
    [
      'the key has no value',
      '\r\nHKEY_CURRENT_USER\\Software\\Classes\\com.example.notes\r\n    (Default)    REG_SZ    (value not set)\r\n',
    ],
    ['nothing was found', ''],
    ['the type is another', '    (Default)    REG_DWORD    0x1\r\n'],
  ])('gives nothing when %s', (_name, output) => {
    expect(readRegistryValue(output)).toBeNull();
  });
});

describe('a command line of Windows', () => {
  it.each([
    [
      '"C:\\Program Files\\Notes\\Notes.exe" "--latchkey-link" "--" "%1"',
      ['C:\\Program Files\\Notes\\Notes.exe', '--latchkey-link', '--'],
    ],
    ['C:\\Notes\\Notes.exe %1', ['C:\\Notes\\Notes.exe']],
    ['"C:\\e.exe" "C:\\src\\notes\\\\" "%1"', ['C:\\e.exe', 'C:\\src\\notes\\']],
    ['"a\\"b" c\\d "" "%1"', ['a"b', 'c\\d', '']],
    ['', []],
  ])('%j has the words %j', (line, words) => {
    expect(splitWindowsCommand(line)).toEqual(words);
  });
});
