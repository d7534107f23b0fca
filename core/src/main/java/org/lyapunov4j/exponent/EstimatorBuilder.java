// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * The settings that everything estimated from random steps has in common.
 *
 * @param <B> the builder itself
 */
public abstract class EstimatorBuilder<B extends EstimatorBuilder<B>> {
  long seed = 1;
  int threads = Runtime.getRuntime().availableProcessors();
  BooleanSupplier cancelled = () -> false;

  /** The defaults. */
  protected EstimatorBuilder() {}

  /**
   * Fixes every random draw.
   *
   * @param seed any value; default 1
   * @return this
   */
  public final B seed(long seed) {
    this.seed = seed;
    return self();
  }

  /**
   * Threads to sample on; never changes a result.
   *
   * @param threads at least 1; default all processors
   * @return this
   */
  public final B threads(int threads) {
    this.threads = requireAtLeast("threads", threads, 1);
    return self();
  }

  /**
   * A cancellation check, asked at least once an epoch, from several threads. An interrupt of the
   * calling thread cancels as well.
   *
   * @param cancelled true to stop with a {@link java.util.concurrent.CancellationException}
   * @return this
   */
  public final B cancelled(BooleanSupplier cancelled) {
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
    return self();
  }

  /**
   * This builder.
   *
   * @return this
   */
  protected abstract B self();

  /**
   * Gives these settings to another builder.
   *
   * @param <C> the other builder
   * @param other receives them
   * @return the other builder
   */
  protected final <C extends EstimatorBuilder<C>> C share(C other) {
    return other.seed(seed).threads(threads).cancelled(cancelled);
  }

  /**
   * The seed.
   *
   * @return as given, or 1
   */
  protected final long seed() {
    return seed;
  }

  /**
   * The number of threads.
   *
   * @return as given, or that of the processors
   */
  protected final int threads() {
    return threads;
  }

  /**
   * The cancellation check.
   *
   * @return as given, or one that never cancels
   */
  protected final BooleanSupplier cancelled() {
    return cancelled;
  }

  /**
   * Refuses a number that is too small.
   *
   * @param name what it is
   * @param value as given
   * @param smallest the smallest one accepted
   * @return the value
   * @throws IllegalArgumentException naming the rule and the value
   */
  protected static int requireAtLeast(String name, int value, int smallest) {
    if (value < smallest) {
      throw new IllegalArgumentException(name + " must be at least " + smallest + ", got " + value);
    }
    return value;
  }
}
