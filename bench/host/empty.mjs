// @ts-check
// The floor of an import: a module with nothing in it.
export {};
