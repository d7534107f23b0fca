// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.gram.Vectors;

/** Rows of a table that are looked up: for each example its entries alone. */
final class LookupFactors implements FactorBlock {
  private final List<List<Entry>> examples = new ArrayList<>();
  private int width;
  private int deltas;
  private long numbers;

  /** What an example has at one row of the table. */
  private static final class Entry {
    private final int index;
    private final double[] sums;

    /**
     * An entry.
     *
     * @param index the row
     * @param sums Σ_t δ over its positions with this index, K rows of q
     */
    Entry(int index, double[] sums) {
      this.index = index;
      this.sums = sums;
    }
  }

  @Override
  public void add(JacobianBlock chunk, int[] rows) {
    JacobianBlock.Lookup lookup = (JacobianBlock.Lookup) chunk;
    width = lookup.width();
    deltas = lookup.deltaWidth();
    int first = examples.size();
    for (int i = 0; i < lookup.examples(); i++) {
      examples.add(new ArrayList<>());
    }
    int perExample = lookup.columns() * deltas;
    for (LookupEntry entry : lookup.entries()) {
      int[] touching = entry.touching();
      double[] sums = entry.sums();
      for (int r = 0; r < touching.length; r++) {
        int from = r * perExample;
        double[] own = Arrays.copyOfRange(sums, from, from + rows[touching[r]] * deltas);
        examples.get(first + touching[r]).add(new Entry(entry.index(), own));
        numbers += own.length;
      }
    }
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public long bytes() {
    return Double.BYTES * numbers;
  }

  @Override
  public double flopsPerExample() {
    return 4.0 * numbers / examples.size();
  }

  @Override
  public Part part(int columns, int largest) {
    return new Products(columns, largest);
  }

  private final class Products extends FactorPart implements SinglePart {
    private final int columns;

    Products(int columns, int largest) {
      super(largest);
      this.columns = columns;
    }

    @Override
    public void addOutputs(double[] z, int at, double[] u) {
      for (int b = 0; b < count(); b++) {
        for (Entry entry : examples.get(example(b))) {
          int row = at + entry.index * deltas;
          for (int s = 0; s < entry.sums.length; s++) {
            u[b * columns + s / deltas] += entry.sums[s] * z[row + s % deltas];
          }
        }
      }
    }

    @Override
    public void addGradient(double[] u, double[] z, int at) {
      for (int b = 0; b < count(); b++) {
        for (Entry entry : examples.get(example(b))) {
          int row = at + entry.index * deltas;
          for (int s = 0; s < entry.sums.length; s++) {
            z[row + s % deltas] += entry.sums[s] * u[b * columns + s / deltas];
          }
        }
      }
    }

    /** A table may be much wider than what an example has of it. */
    @Override
    public void addBlock(int outputs, int tableWidth, double[] z, double[] block) {
      for (Entry entry : examples.get(example(0))) {
        int rows = entry.sums.length / deltas;
        for (int k = 0; k < rows; k++) {
          for (int l = 0; l < rows; l++) {
            block[k * outputs + l] +=
                Vectors.dot(entry.sums, k * deltas, entry.sums, l * deltas, deltas);
          }
        }
      }
    }
  }
}
