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
  public double flopsPerExample() {
    return block.flopsPerExample();
  }

  @Override
  public Part part(int columns, int largest) {
    Part unweighted = block.part(columns, largest);
    double[] own = new double[roots.length];
    return new Part() {
      @Override
      public void select(int[] examples, int count) {
        unweighted.select(examples, count);
      }

      @Override
      public void addOutputs(double[] z, int at, double[] u) {
        for (int p = 0; p < own.length; p++) {
          own[p] = roots[p] * z[at + p];
        }
        unweighted.addOutputs(own, 0, u);
      }

      @Override
      public void addGradient(double[] u, double[] z, int at) {
        Arrays.fill(own, 0);
        unweighted.addGradient(u, own, 0);
        for (int p = 0; p < own.length; p++) {
          z[at + p] += roots[p] * own[p];
        }
      }
    };
  }
}
