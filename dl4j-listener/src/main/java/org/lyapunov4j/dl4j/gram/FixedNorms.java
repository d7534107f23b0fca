// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Locale;

/**
 * The vectors w_u of parameters whose norm a step leaves as it is, as those that a constraint holds
 * at their largest norm. After such a step a perturbation is Πδ, with Π = I − Σ_u ŵ_u ŵ_uᵀ and ŵ_u
 * = w_u/‖w_u‖, and the Gram matrix that the outputs see is J Π Jᵀ.
 */
public final class FixedNorms {
  private final int[] vectors;
  private final int count;

  private FixedNorms(int[] vectors, int count) {
    this.vectors = vectors;
    this.count = count;
  }

  /**
   * Vectors of parameters.
   *
   * @param vectors for each parameter, in the order of {@code model.params()}, the number u ≥ 1 of
   *     its vector, or 0 if it belongs to none; copied
   * @return the vectors
   * @throws IllegalArgumentException if a number is negative
   */
  public static FixedNorms of(int[] vectors) {
    int count = 0;
    for (int vector : vectors) {
      if (vector < 0) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "the number of a vector must be 0 or more, got %d", vector));
      }
      count = Math.max(count, vector);
    }
    return new FixedNorms(vectors.clone(), count);
  }

  /**
   * How many there are.
   *
   * @return the largest number u
   */
  public int count() {
    return count;
  }

  /** The numbers as a flat array; double, which holds every int. */
  double[] numbers() {
    double[] numbers = new double[vectors.length];
    for (int p = 0; p < numbers.length; p++) {
      numbers[p] = vectors[p];
    }
    return numbers;
  }

  /** How many parameters each vector has; the first number is that of the free ones. */
  int[] sizes() {
    int[] sizes = new int[count + 1];
    for (int vector : vectors) {
      sizes[vector]++;
    }
    return sizes;
  }

  /** Turns x into Πx, at some parameters. */
  void project(double[] parameters, double[] x) {
    double[] squares = new double[count + 1];
    double[] products = new double[count + 1];
    for (int p = 0; p < x.length; p++) {
      squares[vectors[p]] += parameters[p] * parameters[p];
      products[vectors[p]] += parameters[p] * x[p];
    }
    for (int p = 0; p < x.length; p++) {
      int u = vectors[p];
      if (u > 0 && squares[u] > 0) {
        x[p] -= parameters[p] * products[u] / squares[u];
      }
    }
  }
}
