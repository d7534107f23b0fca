// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.function.Function;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;

/** Independent dense matrices from any source: products whose exponents are known from theory. */
final class MatrixCocycle implements LinearCocycle {
  private final int dimension;
  private final Function<RandomStream, double[][]> source;

  MatrixCocycle(int dimension, Function<RandomStream, double[][]> source) {
    this.dimension = dimension;
    this.source = source;
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public int stepsPerEpoch() {
    return 1;
  }

  @Override
  public boolean isIndependent() {
    return true;
  }

  @Override
  public Realisation realise(RandomStream random) {
    return () -> {
      double[][] matrix = source.apply(random);
      return x -> System.arraycopy(multiply(matrix, x), 0, x, 0, x.length);
    };
  }

  @Override
  public double observedNorm(double[] x) {
    return Vectors.norm(x);
  }

  private static double[] multiply(double[][] matrix, double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += matrix[i][j] * x[j];
      }
    }
    return y;
  }
}
