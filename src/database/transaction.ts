import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/**
 * Unit of work across several repositories, passed on by AsyncLocalStorage. Inside `run`, whatever uses `manager` is part of
 * the same transaction; outside, each statement commits by itself.
 */
@Injectable()
export class Transaction {
  private readonly current = new AsyncLocalStorage<EntityManager>();

  constructor(private readonly dataSource: DataSource) {}

  get manager(): EntityManager {
    return this.current.getStore() ?? this.dataSource.manager;
  }

  /** Commits when `work` resolves, rolls back when it rejects. A nested `run` joins the outer transaction. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.current.getStore()) return work();
    return this.dataSource.transaction((manager) => this.current.run(manager, work));
  }
}
