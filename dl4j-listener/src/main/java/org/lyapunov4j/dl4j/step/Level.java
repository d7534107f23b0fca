// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

import java.util.Objects;

/**
 * How much can honestly be said of a training: its linearised step is known exactly, approximately,
 * or not, so that only what is observed can be shown.
 */
public sealed interface Level {
  /**
   * The linearised step is that of training.
   *
   * @return the highest level
   */
  static Level exact() {
    return new Exact();
  }

  /** The three levels, from most to least. */
  enum Kind {
    /** Up to rounding. */
    EXACT,
    /** By a named approximation. */
    APPROXIMATE,
    /** No linear step: no λ, no edge, no verdict. */
    OBSERVED
  }

  /** The linearised step is that of training, up to rounding. */
  record Exact() implements Level {
    @Override
    public Kind kind() {
      return Kind.EXACT;
    }

    @Override
    public String toString() {
      return "EXACT";
    }
  }

  /**
   * The linearised step is near that of training.
   *
   * @param approximation what was put in place of what
   * @param error its bound, or what was measured
   * @param factor 1 if λ and a verdict are given; above 1 if only the edge ratio is, right within
   *     this factor
   */
  record Approximate(String approximation, String error, double factor) implements Level {
    /** {@inheritDoc} */
    public Approximate {
      Objects.requireNonNull(approximation, "approximation");
      Objects.requireNonNull(error, "error");
      if (!(factor >= 1 && factor < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "the factor of an approximation must be finite and at least 1, got " + factor);
      }
    }

    /**
     * An approximation good enough for λ and a verdict.
     *
     * @param approximation what was put in place of what
     * @param error its bound, or what was measured
     */
    public Approximate(String approximation, String error) {
      this(approximation, error, 1);
    }

    /**
     * Whether the edge ratio alone is given.
     *
     * @return true for a gauge
     */
    public boolean isGauge() {
      return factor > 1;
    }

    @Override
    public Kind kind() {
      return Kind.APPROXIMATE;
    }

    @Override
    public String toString() {
      return "APPROXIMATE (" + approximation + ": " + error + ")";
    }
  }

  /**
   * The step has no linearisation here.
   *
   * @param reason why
   * @param remedy what would make it more
   */
  record Observed(String reason, String remedy) implements Level {
    /** {@inheritDoc} */
    public Observed {
      Objects.requireNonNull(reason, "reason");
      Objects.requireNonNull(remedy, "remedy");
    }

    @Override
    public Kind kind() {
      return Kind.OBSERVED;
    }

    @Override
    public String toString() {
      return "OBSERVED (no λ: " + reason + "; for more, " + remedy + ")";
    }
  }

  /**
   * Which of the three.
   *
   * @return the kind, whose name is the first word of {@link Object#toString}
   */
  Kind kind();

  /**
   * What is left where two things are so known.
   *
   * @param other another level
   * @return the lower of the two; of two approximations both, with the larger factor
   */
  default Level and(Level other) {
    if (this instanceof Approximate a && other instanceof Approximate b) {
      return a.equals(b)
          ? a
          : new Approximate(
              a.approximation() + ": " + a.error() + "; " + b.approximation(),
              b.error(),
              Math.max(a.factor(), b.factor()));
    }
    return other.kind().compareTo(kind()) > 0 ? other : this;
  }
}
