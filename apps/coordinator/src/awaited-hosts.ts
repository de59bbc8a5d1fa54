import { HostGone } from './host-gone.ts';

/** What is awaited of hosts; all that is awaited of one ends when it is lost. */
export class AwaitedHosts<T> {
  readonly #awaited = new Map<string, { readonly host: number; readonly done: PromiseWithResolvers<T> }>();

  /** Resolves with what comes under this key from the host, or rejects with HostGone. */
  await(host: number, key: string): Promise<T> {
    const done = Promise.withResolvers<T>();
    done.promise.catch(() => undefined);
    this.#awaited.get(key)?.done.reject(new HostGone('asked for again'));
    this.#awaited.set(key, { host, done });
    return done.promise;
  }

  resolve(key: string, value: T): void {
    this.#awaited.get(key)?.done.resolve(value);
    this.#awaited.delete(key);
  }

  reject(key: string, reason: string): void {
    this.#awaited.get(key)?.done.reject(new HostGone(reason));
    this.#awaited.delete(key);
  }

  /** Nothing will come from this host; without one, from none. */
  forsake(host: number | null, reason: string): void {
    for (const [key, awaited] of this.#awaited) {
      if (host === null || awaited.host === host) this.reject(key, reason);
    }
  }
}
