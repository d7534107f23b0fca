// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;

/** A Jacobian that is there as a matrix, the plainest of operators, and its Gram matrix. */
public final class DenseTangentOperator implements TangentOperator {
  private final double[][] rows;
  private final int outputs;

  public DenseTangentOperator(double[][] rows, int outputs) {
    this.rows = rows;
    this.outputs = outputs;
  }

  /** Gaussian entries, whose columns fall off like p^−decay, beside a part that all rows share. */
  public static DenseTangentOperator random(
      int examples, int outputs, int dimension, double decay, double shared, long seed) {
    RandomStream random = new RandomStream(seed);
    double[] common = random.gaussians(dimension);
    double[][] rows = new double[examples * outputs][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = random.gaussians(dimension);
      for (int p = 0; p < dimension; p++) {
        rows[r][p] = (rows[r][p] + shared * common[p]) * Math.pow(p + 1, -decay);
      }
    }
    return new DenseTangentOperator(rows, outputs);
  }

  public GramMatrix gram() {
    double[][] gram = new double[rows.length][rows.length];
    for (int r = 0; r < gram.length; r++) {
      for (int c = 0; c < gram.length; c++) {
        for (int p = 0; p < rows[r].length; p++) {
          gram[r][c] += rows[r][p] * rows[c][p];
        }
      }
    }
    return GramMatrix.of(gram, examples(), outputs);
  }

  public double[][] rows() {
    return rows;
  }

  @Override
  public int examples() {
    return rows.length / outputs;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int dimension() {
    return rows[0].length;
  }

  @Override
  public double flopsPerExample() {
    return 4.0 * outputs * dimension();
  }

  @Override
  public Products products(int largestBatch) {
    return new Products() {
      private double[][] selected = {};

      @Override
      public void select(int[] examples, int count) {
        if (count > largestBatch) {
          throw new IllegalArgumentException("at most " + largestBatch + ", got " + count);
        }
        selected = new double[count * outputs][];
        for (int r = 0; r < selected.length; r++) {
          selected[r] = rows[examples[r / outputs] * outputs + r % outputs];
        }
      }

      @Override
      public void outputs(double[] z, double[] u) {
        for (int r = 0; r < selected.length; r++) {
          u[r] = 0;
          for (int p = 0; p < z.length; p++) {
            u[r] += selected[r][p] * z[p];
          }
        }
      }

      @Override
      public void block(double[] block) {
        for (int k = 0; k < outputs; k++) {
          for (int l = 0; l < outputs; l++) {
            block[k * outputs + l] = Vectors.dot(selected[k], selected[l]);
          }
        }
      }

      @Override
      public void addGradient(double[] u, double[] z) {
        for (int r = 0; r < selected.length; r++) {
          for (int p = 0; p < z.length; p++) {
            z[p] += u[r] * selected[r][p];
          }
        }
      }
    };
  }
}
