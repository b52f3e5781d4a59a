/** Keys go through as they are typed until disposed. */
export function rawTerminal(): Disposable {
  if (process.stdin.isTTY !== true) return { [Symbol.dispose]: () => undefined };
  process.stdin.setRawMode(true);
  return {
    [Symbol.dispose]: () => {
      process.stdin.setRawMode(false);
    },
  };
}

/** Of this process's terminal; undefined when output is none. */
export function terminalSize(): { rows: number; columns: number } | undefined {
  const { rows, columns } = process.stdout;
  return process.stdout.isTTY === true && rows > 0 ? { rows, columns } : undefined;
}
