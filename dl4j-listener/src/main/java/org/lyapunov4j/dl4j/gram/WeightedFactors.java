// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;

/** A block with a weight for every parameter. */
final class WeightedFactors implements FactorBlock {
  private final FactorBlock block;
  private final double[] roots;

  WeightedFactors(FactorBlock block, JacobianBlock.Weighted like) {
    this.block = block;
    roots = like.roots().castTo(DataType.DOUBLE).dup('c').data().asDouble();
  }

  @Override
  public void add(JacobianBlock chunk, int[] rows) {
    block.add(((JacobianBlock.Weighted) chunk).outer(), rows);
  }

  @Override
  public int width() {
    return roots.length;
  }

  @Override
  public long bytes() {
    return block.bytes() + (long) Double.BYTES * roots.length;
  }

  @Override
  public long spare() {
    return block.spare();
  }

  @Override
  public double flopsPerExample() {
    return block.flopsPerExample();
  }

  @Override
  public Part part(int columns, int largest) {
    return new Products(block.part(columns, largest));
  }

  private final class Products implements Part {
    private final Part unweighted;
    private double[][] own = {};

    Products(Part unweighted) {
      this.unweighted = unweighted;
    }

    /** As many vectors of this block alone. */
    private double[][] vectors(int count) {
      if (own.length != count) {
        own = new double[count][roots.length];
      }
      return own;
    }

    @Override
    public void select(int[] examples, int count) {
      unweighted.select(examples, count);
    }

    @Override
    public void addOutputs(double[][] z, int at, double[][] u) {
      double[][] weighted = vectors(z.length);
      for (int j = 0; j < z.length; j++) {
        for (int p = 0; p < roots.length; p++) {
          weighted[j][p] = roots[p] * z[j][at + p];
        }
      }
      unweighted.addOutputs(weighted, 0, u);
    }

    @Override
    public void addGradient(double[][] u, double[][] z, int at) {
      double[][] gradients = vectors(z.length);
      for (double[] gradient : gradients) {
        Arrays.fill(gradient, 0);
      }
      unweighted.addGradient(u, gradients, 0);
      for (int j = 0; j < z.length; j++) {
        for (int p = 0; p < roots.length; p++) {
          z[j][at + p] += roots[p] * gradients[j][p];
        }
      }
    }
  }
}
