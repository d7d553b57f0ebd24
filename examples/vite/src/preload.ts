// The host's own preload. Latchkey's bridge comes with the import.
import { contextBridge } from 'electron';
import 'latchkey/preload';

contextBridge.exposeInMainWorld('notes', { platform: process.platform });
