// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The rows of the Jacobian themselves: of layers that have no factors, and of layers with more
 * positions than outputs, whose rows take less than their factors.
 */
final class RowFactors implements FactorBlock {
  /** Positions over outputs from which on rows save time, a product with them being slower. */
  private static final int FASTER = 4;

  private final FactorStore rows = new FactorStore();
  private int width;

  /** Whether rows are better than factors. */
  static boolean suit(JacobianBlock.Outer outer, int examples, long spare) {
    double rows = (double) outer.columns() * outer.width();
    double factors =
        (double) outer.positions()
            * (outer.inputWidth() + (double) outer.columns() * outer.deltaWidth());
    boolean faster = outer.positions() > FASTER * outer.columns();
    double bytes = rows * examples * outer.deltas().dataType().width();
    return outer.positions() > 1
        && rows * Math.min(outer.examples(), examples) < Integer.MAX_VALUE
        && (rows <= factors || (faster && bytes <= spare));
  }

  @Override
  public void add(JacobianBlock chunk, int[] counts) {
    width = chunk.width();
    int[] lengths = Arrays.stream(counts).map(count -> count * width).toArray();
    if (chunk instanceof JacobianBlock.Outer outer) {
      add(outer, lengths);
    } else {
      rows.add(((JacobianBlock.Rows) chunk).jacobian(), lengths);
    }
  }

  private void add(JacobianBlock.Outer outer, int[] lengths) {
    FactorStore a = new FactorStore();
    FactorStore delta = new FactorStore();
    a.add(outer.inputRows(), outer.examples());
    delta.add(outer.deltaRows(), outer.examples());
    int[] starts = FactorStore.starts(lengths);
    int all = starts[lengths.length];
    boolean single = outer.deltas().dataType() == DataType.FLOAT;
    float[] floats = single ? new float[all] : null;
    double[] doubles = single ? null : new double[all];
    IntStream.range(0, outer.examples())
        .parallel()
        .forEach(
            i -> {
              double[] formed = rowsOf(outer, a, delta, i, lengths[i]);
              for (int j = 0; j < formed.length; j++) {
                if (single) {
                  floats[starts[i] + j] = (float) formed[j];
                } else {
                  doubles[starts[i] + j] = formed[j];
                }
              }
            });
    rows.add(floats, doubles, lengths);
  }

  private double[] rowsOf(
      JacobianBlock.Outer outer, FactorStore a, FactorStore delta, int i, int length) {
    int positions = outer.positions();
    int p = outer.inputWidth();
    int q = outer.deltaWidth();
    double[] inputs = new double[positions * p];
    double[][] deltas = new double[positions][q];
    double[] sum = new double[q];
    double[] formed = new double[length];
    a.read(i, 0, inputs.length, inputs, 0);
    for (int k = 0; k < length / width; k++) {
      for (int t = 0; t < positions; t++) {
        delta.read(i, (k * positions + t) * q, q, deltas[t], 0);
        for (int j = 0; j < q && outer.bias() > 0; j++) {
          formed[k * width + p * q + j] += Math.sqrt(outer.bias()) * deltas[t][j];
        }
      }
      PackedProduct.addTransposedTimes(inputs, positions, p, deltas, q, formed, k * width, sum);
    }
    return formed;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public long bytes() {
    return rows.bytes();
  }

  /** Counted as in {@link OuterFactors}, whose flops are some times faster. */
  @Override
  public double flopsPerExample() {
    return 4.0 * FASTER * rows.size() / rows.examples();
  }

  @Override
  public Part part(int columns, int largest) {
    return new FactorPart(largest) {
      @Override
      public void addOutputs(double[] z, int at, double[] u) {
        for (int b = 0; b < count(); b++) {
          for (int k = 0; k < rows.length(example(b)) / width; k++) {
            u[b * columns + k] += rows.dot(example(b), k * width, width, z, at);
          }
        }
      }

      @Override
      public void addGradient(double[] u, double[] z, int at) {
        for (int b = 0; b < count(); b++) {
          for (int k = 0; k < rows.length(example(b)) / width; k++) {
            rows.addTo(example(b), k * width, width, u[b * columns + k], z, at);
          }
        }
      }
    };
  }
}
