// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.lyapunov4j.gram.Vectors;

/** Outer products: the inputs A and the derivatives Δ of {@link JacobianBlock.Outer}. */
final class OuterFactors implements FactorBlock {
  private static final int SLOWER = 6;

  /** Derivatives of a position from which on loops over them are long enough. */
  private static final int WIDE = 128;

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
  public void add(JacobianBlock chunk, int[] rows) {
    JacobianBlock.Outer outer = (JacobianBlock.Outer) chunk;
    a.add(outer.inputRows(), outer.examples());
    int length = positions * deltas;
    delta.add(outer.deltaRows(), Arrays.stream(rows).map(count -> count * length).toArray());
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
  public double flopsPerExample() {
    double derivatives = (double) delta.size() / delta.examples();
    return 4.0 * ((double) positions * width() + SLOWER * derivatives);
  }

  @Override
  public Part part(int columns, int largest) {
    return deltas < WIDE && deltas < inputs
        ? new Narrow(columns, largest)
        : new Wide(columns, largest);
  }

  /** What both forms of products have in common: the derivatives of the selected examples. */
  private abstract class Products implements SinglePart {
    final int columns;
    final double[] series = new double[positions * deltas];
    private final double[][] derivatives;
    private final int[] known;
    private int count;

    Products(int columns, int largest) {
      this.columns = columns;
      derivatives = new double[largest * columns][positions * deltas];
      known = new int[largest];
    }

    @Override
    public void select(int[] examples, int size) {
      count = size;
      for (int b = 0; b < size; b++) {
        known[b] = delta.length(examples[b]) / series.length;
        for (int k = 0; k < known[b]; k++) {
          double[] row = derivatives[b * columns + k];
          delta.read(examples[b], k * series.length, series.length, row, 0);
        }
      }
    }

    final int count() {
      return count;
    }

    /** The inputs of the only position of the only example. */
    abstract double[] onlyInputs();

    /** At one position an outer product is that of inner products. */
    @Override
    public void addBlock(int outputs, int width, double[] z, double[] block) {
      if (positions > 1) {
        SinglePart.super.addBlock(outputs, width, z, block);
        return;
      }
      double[] x = onlyInputs();
      double energy = root * root + Vectors.dot(x, 0, x, 0, inputs);
      for (int k = 0; k < known[0]; k++) {
        for (int l = 0; l < known[0]; l++) {
          block[k * outputs + l] += energy * Vectors.dot(derivatives[k], derivatives[l]);
        }
      }
    }

    /** u += Σ_t of the derivatives of the b-th example times its image, position after position. */
    final void addInner(double[] image, int b, double[] u) {
      for (int k = b * columns; k < b * columns + known[b]; k++) {
        u[k] += Vectors.dot(image, 0, derivatives[k], 0, series.length);
      }
    }

    /** The series becomes Σ_k u_k of the derivatives of the b-th example. */
    final void combine(double[] u, int b) {
      Arrays.fill(series, 0);
      int first = b * columns;
      Vectors.addAll(u, first, 1, known[b], derivatives, first, series.length, series);
    }
  }

  /** Loops run over the derivatives of a position. */
  private final class Wide extends Products {
    private final double[] chosen;
    private final double[][] images;
    private final double[][] four = new double[4][deltas];

    Wide(int columns, int largest) {
      super(columns, largest);
      chosen = new double[Math.multiplyExact(largest * positions, inputs)];
      images = new double[largest * positions][deltas];
    }

    @Override
    double[] onlyInputs() {
      return chosen;
    }

    @Override
    public void select(int[] examples, int size) {
      super.select(examples, size);
      int length = positions * inputs;
      for (int b = 0; b < size; b++) {
        a.read(examples[b], 0, length, chosen, b * length);
      }
    }

    @Override
    public void addOutputs(double[] z, int at, double[] u) {
      int rows = count() * positions;
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
      for (int b = 0; b < count(); b++) {
        addInner(image(b), b, u);
      }
    }

    private double[] image(int b) {
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
      int rows = count() * positions;
      for (int b = 0; b < count(); b++) {
        combine(u, b);
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

  /**
   * Loops run over positions for images, over inputs for gradients: for layers with few derivatives
   * at a position, as convolutions have.
   */
  private final class Narrow extends Products {
    /** Positions at a time. */
    private static final int TILE = 256;

    private final double[][] rows;
    private final double[][][] tiles;
    private final double[][] images;
    private final double[] combined;
    private final double[][] gradient = new double[deltas][inputs];
    private boolean transposed;

    Narrow(int columns, int largest) {
      super(columns, largest);
      int most = largest * positions;
      int tile = Math.min(TILE, (most + 7) / 8 * 8);
      rows = new double[most][inputs];
      tiles = new double[(most + tile - 1) / tile][inputs][tile];
      images = new double[deltas][tile];
      combined = new double[Math.multiplyExact(most, deltas)];
    }

    @Override
    double[] onlyInputs() {
      return rows[0];
    }

    @Override
    public void select(int[] examples, int size) {
      super.select(examples, size);
      transposed = false;
      for (int b = 0; b < size; b++) {
        for (int t = 0; t < positions; t++) {
          a.read(examples[b], t * inputs, inputs, rows[b * positions + t], 0);
        }
      }
    }

    /** Eight rows at a time, which fill a line of the cache. */
    private void transpose() {
      int all = count() * positions;
      for (int first = 0; first < all; first += 8) {
        double[][] tile = tiles[first / images[0].length];
        int at = first % images[0].length;
        int length = Math.min(8, all - first);
        for (int i = 0; i < inputs; i++) {
          double[] row = tile[i];
          for (int r = 0; r < length; r++) {
            row[at + r] = rows[first + r][i];
          }
        }
      }
      transposed = true;
    }

    @Override
    public void addOutputs(double[] z, int at, double[] u) {
      if (!transposed) {
        transpose();
      }
      int all = count() * positions;
      int tile = images[0].length;
      for (int first = 0; first < all; first += tile) {
        int length = Math.min(tile, all - first);
        for (int j = 0; j < deltas; j++) {
          Arrays.fill(images[j], 0, length, root > 0 ? root * z[at + inputs * deltas + j] : 0);
        }
        PackedProduct.addTransposed(z, at, inputs, deltas, tiles[first / tile], length, images);
        for (int r = 0; r < length; r++) {
          for (int j = 0; j < deltas; j++) {
            combined[(first + r) * deltas + j] = images[j][r];
          }
        }
      }
      for (int b = 0; b < count(); b++) {
        System.arraycopy(combined, b * series.length, series, 0, series.length);
        addInner(series, b, u);
      }
    }

    @Override
    public void addGradient(double[] u, double[] z, int at) {
      for (int b = 0; b < count(); b++) {
        combine(u, b);
        System.arraycopy(series, 0, combined, b * series.length, series.length);
      }
      int all = count() * positions;
      PackedProduct.clear(gradient, deltas, inputs);
      PackedProduct.addTransposed(combined, 0, all, deltas, rows, inputs, gradient);
      for (int i = 0; i < inputs; i++) {
        for (int j = 0; j < deltas; j++) {
          z[at + i * deltas + j] += gradient[j][i];
        }
      }
      for (int r = 0; r < all && root > 0; r++) {
        for (int j = 0; j < deltas; j++) {
          z[at + inputs * deltas + j] += root * combined[r * deltas + j];
        }
      }
    }
  }
}
