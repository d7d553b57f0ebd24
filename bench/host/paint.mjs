// @ts-check
// The first paint of an app's first window, counted from the start of the process.
// paint-latchkey.mjs is the same with Latchkey before it.
import { app } from 'electron';
import { measure } from './talk.mjs';
import { firstPaint } from './window.mjs';

measure(async () => {
  await app.whenReady();
  return firstPaint();
});
