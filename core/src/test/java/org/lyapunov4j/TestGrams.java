// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.RandomStream;

/** Gram matrices for tests. */
public final class TestGrams {
  private TestGrams() {}

  /** F Fᵀ / features with standard normal F: singular if features is below m. */
  public static double[][] wishart(int m, int features, long seed) {
    return product(gaussian(m, features, seed), 1.0 / features);
  }

  /** A Wishart matrix of N examples and K outputs. */
  public static GramMatrix wishart(int examples, int outputs, int features, long seed) {
    return GramMatrix.adopt(wishart(examples * outputs, features, seed), examples, outputs);
  }

  /**
   * Eigenvalues k^(−exponent) in a random orthogonal-like frame: ill-conditioned as real kernels
   * are.
   */
  public static GramMatrix powerLaw(int examples, int outputs, double exponent, long seed) {
    int m = examples * outputs;
    double[][] f = gaussian(m, m, seed);
    for (int j = 0; j < m; j++) {
      double scale = Math.pow(j + 1, -exponent / 2);
      for (int i = 0; i < m; i++) {
        f[i][j] *= scale;
      }
    }
    return GramMatrix.adopt(product(f, 1), examples, outputs);
  }

  /** The same matrix with entries rounded to float. */
  public static GramMatrix single(GramMatrix gram) {
    float[][] rows = new float[gram.size()][gram.size()];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < rows.length; j++) {
        rows[i][j] = (float) gram.get(i, j);
      }
    }
    return GramMatrix.adopt(rows, gram.examples(), gram.outputs());
  }

  public static double[][] gaussian(int rows, int columns, long seed) {
    RandomStream random = new RandomStream(seed);
    double[][] f = new double[rows][columns];
    for (double[] row : f) {
      for (int j = 0; j < columns; j++) {
        row[j] = random.nextGaussian();
      }
    }
    return f;
  }

  /** scale · F Fᵀ. */
  public static double[][] product(double[][] f, double scale) {
    double[][] g = new double[f.length][f.length];
    for (int i = 0; i < f.length; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = 0;
        for (int k = 0; k < f[i].length; k++) {
          sum += f[i][k] * f[j][k];
        }
        g[i][j] = scale * sum;
        g[j][i] = g[i][j];
      }
    }
    return g;
  }
}
