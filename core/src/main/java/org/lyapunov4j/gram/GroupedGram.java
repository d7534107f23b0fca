// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * A Gram matrix G = Σ G_h with its parts by groups of parameters, G_h = J_h J_hᵀ. Immutable.
 *
 * @param whole G
 * @param parts G_h, at least one, of the shape of G, which adds up to them
 */
public record GroupedGram(GramMatrix whole, List<GramMatrix> parts) {
  /** Relative to the trace, which every part has a share of. */
  private static final double ROUNDING = 1e-4;

  /** {@inheritDoc} */
  public GroupedGram {
    Objects.requireNonNull(whole, "whole");
    parts = List.copyOf(parts);
    double trace = 0;
    for (GramMatrix part : parts) {
      if (part.examples() != whole.examples() || part.outputs() != whole.outputs()) {
        throw new IllegalArgumentException(
            "the parts of a Gram matrix must have its shape, got " + part + " in " + whole);
      }
      trace += part.trace();
    }
    if (!(Math.abs(trace - whole.trace()) <= ROUNDING * whole.trace())) {
      throw new IllegalArgumentException(
          "the parts of a Gram matrix must add up to it, got the trace "
              + trace
              + " of the parts and "
              + whole.trace()
              + " of the whole; give the weights of the parameters to both");
    }
  }

  /**
   * The parts with their sum in double precision.
   *
   * @param parts G_h, at least one, all of one shape
   * @return the grouped matrix
   */
  public static GroupedGram of(List<GramMatrix> parts) {
    double[] ones = new double[parts.size()];
    Arrays.fill(ones, 1);
    return new GroupedGram(GramMatrix.weightedSum(parts, ones), parts);
  }

  /**
   * All multiplied by the power of two that {@link GramMatrix#normalised} gives to the whole.
   *
   * @return the multiple
   */
  public GroupedGram normalised() {
    int exponent = whole.exponent();
    return new GroupedGram(
        whole.normalised(), parts.stream().map(part -> part.scaled(-exponent)).toList());
  }

  /**
   * The matrices of a subset of the examples.
   *
   * @param chosen as for {@link GramMatrix#subset}
   * @return principal submatrices
   */
  public GroupedGram subset(int... chosen) {
    return new GroupedGram(
        whole.subset(chosen), parts.stream().map(part -> part.subset(chosen)).toList());
  }

  /**
   * The same whole with some of its parts, where the others are 0.
   *
   * @param chosen indices of parts
   * @return the grouped matrix
   */
  public GroupedGram only(int... chosen) {
    return new GroupedGram(whole, Arrays.stream(chosen).mapToObj(parts::get).toList());
  }

  /**
   * The sum of some parts.
   *
   * @param weights a factor ≥ 0 for each part
   * @return Σ weights_h G_h in double precision; a part itself where it is alone with the factor 1
   */
  public GramMatrix sum(double... weights) {
    int alone = -1;
    int count = 0;
    for (int h = 0; h < weights.length; h++) {
      if (weights[h] != 0) {
        alone = h;
        count++;
      }
    }
    return count == 1 && weights[alone] == 1
        ? parts.get(alone)
        : GramMatrix.weightedSum(parts, weights);
  }
}
