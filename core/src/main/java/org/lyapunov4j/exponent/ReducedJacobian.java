// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;

/**
 * A Jacobian of few columns that all examples share and K more for each example alone: rows F_i and
 * lower triangular L_i, so that its Gram matrix is F Fᵀ with L_i L_iᵀ added to the block of each
 * example. Vectors hold what belongs to F first. Products touch the columns of their examples only.
 */
final class ReducedJacobian implements TangentOperator {
  private final double[][] shared;
  private final double[] own;
  private final int outputs;
  private final int width;

  /**
   * A Jacobian.
   *
   * @param shared F, row by row; adopted
   * @param own K numbers for each row, of which the first 1 to K count; adopted
   * @param outputs K
   */
  ReducedJacobian(double[][] shared, double[] own, int outputs) {
    this.shared = shared;
    this.own = own;
    this.outputs = outputs;
    width = shared[0].length;
  }

  @Override
  public int examples() {
    return shared.length / outputs;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int dimension() {
    return Math.addExact(width, shared.length);
  }

  @Override
  public double flopsPerExample() {
    return 4.0 * outputs * (width + 0.5 * (outputs + 1));
  }

  @Override
  public Products products(int largestBatch) {
    return new OfRows(largestBatch);
  }

  /**
   * Products with the selected rows, and with their transpose: sums of vectors in both cases, for
   * the sake of HotSpot.
   */
  private final class OfRows implements Products {
    /** Rows that are transposed at a time, so that columns are fetched as seldom. */
    private static final int FOUR = 4;

    private final double[][] selected;
    private final double[][] columns;

    /** The first row of each example. */
    private final int[] first;

    private int chosen;

    OfRows(int largestBatch) {
      selected = new double[largestBatch * outputs][];
      columns = new double[width][selected.length];
      first = new int[largestBatch];
    }

    @Override
    public void select(int[] examples, int count) {
      chosen = count * outputs;
      for (int b = 0; b < count; b++) {
        first[b] = examples[b] * outputs;
        System.arraycopy(shared, first[b], selected, b * outputs, outputs);
      }
      int row = 0;
      for (; row + FOUR <= chosen; row += FOUR) {
        transpose(selected[row], selected[row + 1], selected[row + 2], selected[row + 3], row);
      }
      for (; row < chosen; row++) {
        for (int j = 0; j < width; j++) {
          columns[j][row] = selected[row][j];
        }
      }
    }

    private void transpose(double[] x0, double[] x1, double[] x2, double[] x3, int row) {
      for (int j = 0; j < width; j++) {
        double[] column = columns[j];
        column[row] = x0[j];
        column[row + 1] = x1[j];
        column[row + 2] = x2[j];
        column[row + 3] = x3[j];
      }
    }

    @Override
    public void outputs(double[] z, double[] u) {
      Arrays.fill(u, 0, chosen, 0);
      Vectors.addAll(z, 0, 1, /* count= */ width, columns, 0, /* length= */ chosen, u);
      for (int row = 0; row < chosen; row++) {
        int from = first[row / outputs];
        int k = row % outputs;
        u[row] += Vectors.dot(own, (from + k) * outputs, z, width + from, k + 1);
      }
    }

    @Override
    public void addGradient(double[] u, double[] z) {
      Vectors.addAll(u, 0, 1, /* count= */ chosen, selected, 0, /* length= */ width, z);
      for (int row = 0; row < chosen; row++) {
        int from = first[row / outputs];
        int k = row % outputs;
        for (int l = 0; l <= k; l++) {
          z[width + from + l] += u[row] * own[(from + k) * outputs + l];
        }
      }
    }

    @Override
    public void block(double[] block) {
      for (int k = 0; k < outputs; k++) {
        for (int l = 0; l <= k; l++) {
          double alone =
              Vectors.dot(
                  own,
                  (first[0] + k) * outputs,
                  own,
                  (first[0] + l) * outputs,
                  /* length= */ l + 1);
          block[k * outputs + l] = alone + Vectors.dot(selected[k], selected[l]);
          block[l * outputs + k] = block[k * outputs + l];
        }
      }
    }
  }
}
