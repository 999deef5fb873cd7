import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';

/** Renders again after each change of a store. */
export function useChanges(store: { subscribe(listener: () => void): () => void }): void {
  const [, render] = useReducer<number, void>((renders) => renders + 1, 0);
  useLayoutEffect(() => store.subscribe(render), [store]);
}

/** The time, which goes on as long as there are milliseconds between two ticks. */
export function useNow(tickMillis: number | undefined): number {
  const [, render] = useReducer<number, void>((renders) => renders + 1, 0);
  useEffect(() => {
    if (tickMillis === undefined) return;
    const timer = setInterval(render, tickMillis);
    return () => clearInterval(timer);
  }, [tickMillis]);
  return Date.now();
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const change = () => setHolds(list.matches);
    change();
    list.addEventListener('change', change);
    return () => list.removeEventListener('change', change);
  }, [query]);
  return holds;
}

/** The hash of the address. */
export function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const change = () => setHash(location.hash);
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return hash;
}

/** Replaces the hash. A text field that shows a part of it is rendered before anything else can render its earlier value. */
export function replaceHash(hash: string): void {
  history.replaceState(null, '', hash);
  dispatchEvent(new Event('hashchange'));
}

export interface Loaded<T> {
  value?: T;
  error?: Error;
}

/** Loads a value, and again when a dependency changes. The earlier value stays until the new one is there. */
export function useLoaded<T>(load: () => Promise<T>, dependencies: readonly unknown[]): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({});
  useEffect(() => {
    let isCurrent = true;
    load().then(
      (value) => isCurrent && setLoaded({ value }),
      (error: Error) => isCurrent && setLoaded({ error }),
    );
    return () => {
      isCurrent = false;
    };
  }, dependencies);
  return loaded;
}
