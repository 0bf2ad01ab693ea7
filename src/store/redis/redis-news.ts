// Hears what is published about locks, over one connection for each channel that somebody waits on. Changes when news come
// in another way.

import type { RedisClient, Subscription } from "./redis-client.ts";

/** One who listens. */
export interface Listening {
  /** Resolves with the next news. */
  next(): Promise<void>;
  /** False where news do not come, so that one has to look. */
  isLive(): boolean;
  stop(): void;
}

interface Channel {
  readonly waiting: Set<() => void>;
  listeners: number;
  subscription: Subscription | undefined;
}

/** The channels that somebody waits on. */
export class RedisNews {
  readonly #client: () => Promise<RedisClient>;
  readonly #channels = new Map<string, Channel>();

  constructor(client: () => Promise<RedisClient>) {
    this.#client = client;
  }

  /** Listens until it is stopped. Never fails: who hears nothing looks more often. */
  listen(name: string): Listening {
    const channel = this.#channels.get(name) ?? this.#open(name);
    channel.listeners += 1;
    let wake: (() => void) | undefined;
    let isStopped = false;
    return {
      next: () =>
        new Promise((resolve) => {
          if (wake !== undefined) channel.waiting.delete(wake);
          wake = resolve;
          channel.waiting.add(resolve);
        }),
      isLive: () => channel.subscription !== undefined,
      stop: () => {
        if (isStopped) return;
        isStopped = true;
        if (wake !== undefined) channel.waiting.delete(wake);
        channel.listeners -= 1;
        if (channel.listeners > 0) return;
        this.#channels.delete(name);
        channel.subscription?.stop();
      },
    };
  }

  #open(name: string): Channel {
    const channel: Channel = { waiting: new Set(), listeners: 0, subscription: undefined };
    this.#channels.set(name, channel);
    const news = (): void => {
      const woken = [...channel.waiting];
      channel.waiting.clear();
      for (const wake of woken) wake();
    };
    const subscribe = async (): Promise<void> => {
      const subscription = await (await this.#client()).subscribe(name, news);
      if (channel.listeners === 0) {
        subscription.stop();
        return;
      }
      channel.subscription = subscription;
      // Something may have happened while nobody heard.
      news();
    };
    subscribe().catch(() => undefined);
    return channel;
  }
}
