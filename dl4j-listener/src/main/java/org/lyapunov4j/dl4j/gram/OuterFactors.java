// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;

/** Outer products: the inputs A and the derivatives Δ of {@link JacobianBlock.Outer}. */
final class OuterFactors implements FactorBlock {
  private static final int SLOWER = 6;

  private final int positions;
  private final int inputs;
  private final int deltas;
  private final double root;
  private final FactorStore a = new FactorStore();
  private final FactorStore delta = new FactorStore();

  OuterFactors(JacobianBlock.Outer like) {
    positions = like.positions();
    inputs = like.inputWidth();
    deltas = like.deltaWidth();
    root = Math.sqrt(like.bias());
  }

  @Override
  public void add(JacobianBlock chunk) {
    JacobianBlock.Outer outer = (JacobianBlock.Outer) chunk;
    a.add(outer.inputRows(), outer.examples());
    delta.add(outer.deltaRows(), outer.examples());
  }

  @Override
  public int width() {
    return (root > 0 ? inputs + 1 : inputs) * deltas;
  }

  @Override
  public long bytes() {
    return a.bytes() + delta.bytes();
  }

  /** Inner products and conversions, some times slower, count as often. */
  @Override
  public double flopsPerExample(int columns) {
    return 4.0 * positions * (width() + (double) SLOWER * columns * deltas);
  }

  @Override
  public Part part(int columns, int largest) {
    return new Products(columns, largest);
  }

  private final class Products implements Part {
    private final int columns;
    private final double[] chosen;
    private final double[][] derivatives;
    private final double[][] images;
    private final double[] series = new double[positions * deltas];
    private final double[][] four = new double[4][deltas];
    private int count;

    Products(int columns, int largest) {
      this.columns = columns;
      chosen = new double[Math.multiplyExact(largest * positions, inputs)];
      derivatives = new double[largest * columns][positions * deltas];
      images = new double[largest * positions][deltas];
    }

    @Override
    public void select(int[] examples, int size) {
      count = size;
      int length = positions * deltas;
      for (int b = 0; b < size; b++) {
        a.read(examples[b], 0, positions * inputs, chosen, b * positions * inputs);
        int known = delta.length(examples[b]) / length;
        for (int k = 0; k < columns; k++) {
          double[] row = derivatives[b * columns + k];
          if (k < known) {
            delta.read(examples[b], k * length, length, row, 0);
          } else {
            Arrays.fill(row, 0);
          }
        }
      }
    }

    @Override
    public void addOutputs(double[] z, int at, double[] u) {
      int rows = count * positions;
      PackedProduct.clear(images, rows, deltas);
      if (root > 0) {
        int bias = at + inputs * deltas;
        for (int r = 0; r < rows; r++) {
          for (int j = 0; j < deltas; j++) {
            images[r][j] = root * z[bias + j];
          }
        }
      }
      PackedProduct.addTimes(chosen, rows, inputs, z, at, deltas, images, four);
      for (int b = 0; b < count; b++) {
        double[] image = series(b);
        for (int k = b * columns; k < (b + 1) * columns; k++) {
          u[k] += Vectors.dot(image, 0, derivatives[k], 0, series.length);
        }
      }
    }

    /** The images of an example, position after position. */
    private double[] series(int b) {
      if (positions == 1) {
        return images[b];
      }
      for (int t = 0; t < positions; t++) {
        System.arraycopy(images[b * positions + t], 0, series, t * deltas, deltas);
      }
      return series;
    }

    @Override
    public void addGradient(double[] u, double[] z, int at) {
      int rows = count * positions;
      for (int b = 0; b < count; b++) {
        Arrays.fill(series, 0);
        PackedProduct.addRows(
            u, b * columns, columns, derivatives, b * columns, series.length, series);
        for (int t = 0; t < positions; t++) {
          System.arraycopy(series, t * deltas, images[b * positions + t], 0, deltas);
        }
      }
      PackedProduct.addTransposedTimes(chosen, rows, inputs, images, deltas, z, at, four[0]);
      if (root > 0) {
        int bias = at + inputs * deltas;
        for (int r = 0; r < rows; r++) {
          for (int j = 0; j < deltas; j++) {
            z[bias + j] += root * images[r][j];
          }
        }
      }
    }
  }
}
