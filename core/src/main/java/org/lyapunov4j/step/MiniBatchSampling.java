// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.step;

/**
 * How the mini-batch S of a step is drawn from the N examples. It is part of what is estimated, not
 * of how: exponents of different schemes differ, sometimes in sign.
 */
public enum MiniBatchSampling {
  /**
   * S is a uniform B-subset, independent from step to step: the setting of Chemnitz and Engel,
   * theory (2.12).
   */
  IID_SUBSETS("iid", "independent uniform B-subsets"),
  /** S is B independent uniform draws; an example drawn k times counts k times. */
  IID_WITH_REPLACEMENT("iid-replacement", "B independent draws with replacement"),
  /**
   * Each epoch is a fresh uniform permutation cut into consecutive batches. Where B does not divide
   * N the last batch of the epoch holds the N mod B examples that are left, and its gradient is
   * divided by its own size, as Deeplearning4j does.
   */
  SHUFFLED_EPOCHS("epoch", "reshuffled every epoch"),
  /**
   * As {@link #SHUFFLED_EPOCHS} but always in the order 0 … N − 1, as an iterator that does not
   * shuffle.
   */
  ORDERED_EPOCHS("ordered", "the same order every epoch");

  private final String id;
  private final String description;

  MiniBatchSampling(String id, String description) {
    this.id = id;
    this.description = description;
  }

  /**
   * The short name used on command lines and in records.
   *
   * @return {@code iid}, {@code iid-replacement}, {@code epoch} or {@code ordered}
   */
  public String id() {
    return id;
  }

  /**
   * Whether steps draw independently of each other, as the second-moment formulas need.
   *
   * @return true for the two i.i.d. schemes
   */
  public boolean isIndependent() {
    return this == IID_SUBSETS || this == IID_WITH_REPLACEMENT;
  }

  /**
   * The largest mini-batch that can be drawn.
   *
   * @param examples N
   * @return N; no limit for draws with replacement
   */
  public int largestBatch(int examples) {
    return this == IID_WITH_REPLACEMENT ? Integer.MAX_VALUE : examples;
  }

  /**
   * The scheme with the given short name.
   *
   * @param id as returned by {@link #id()}
   * @return the scheme
   * @throws IllegalArgumentException for an unknown name, listing the known ones
   */
  public static MiniBatchSampling fromId(String id) {
    for (MiniBatchSampling sampling : values()) {
      if (sampling.id.equals(id)) {
        return sampling;
      }
    }
    throw new IllegalArgumentException(
        "sampling must be one of iid, iid-replacement, epoch, ordered; got " + id);
  }

  @Override
  public String toString() {
    return description;
  }
}
