// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.exponent.TangentOperator;

/**
 * The Jacobian of a model's outputs on a probe set as the factors of its layers: inputs and
 * back-propagated derivatives where a layer has both, rows of the Jacobian where it has none or
 * where rows take less. It answers products with the rows of some examples, which is all that λ,
 * η_c and the sharpness need, and takes no m² numbers.
 *
 * <p>Its P columns are those of the trained parameters, layer by layer, times the roots of the
 * parameters' weights. Its rows are those of {@link NtkGram} but that the rows of an example may be
 * in another order. Immutable.
 */
public final class NtkFactors implements TangentOperator {
  private final List<FactorBlock> blocks;
  private final int[] places;
  private final int outputs;
  private final double loss;
  private final double dropped;
  private final List<String> assumptions;
  private final int dimension;

  /**
   * The factors of some blocks.
   *
   * @param places where in the blocks each example is
   */
  NtkFactors(
      List<FactorBlock> blocks,
      int[] places,
      int outputs,
      double loss,
      double dropped,
      List<String> assumptions) {
    this.blocks = List.copyOf(blocks);
    this.places = places;
    this.outputs = outputs;
    this.loss = loss;
    this.dropped = dropped;
    this.assumptions = List.copyOf(assumptions);
    int width = 0;
    for (FactorBlock block : blocks) {
      width = Math.addExact(width, block.width());
    }
    dimension = width;
  }

  @Override
  public int examples() {
    return places.length;
  }

  @Override
  public int outputs() {
    return outputs;
  }

  @Override
  public int dimension() {
    return dimension;
  }

  /**
   * The loss of the probe set.
   *
   * @return as {@link ProbeFit#loss()}
   */
  public double loss() {
    return loss;
  }

  /**
   * What of the loss curvature was left out.
   *
   * @return as {@link NtkGramResult#droppedCurvature()}
   */
  public double droppedCurvature() {
    return dropped;
  }

  /**
   * What was assumed of the model.
   *
   * @return a sentence each
   */
  public List<String> assumptions() {
    return assumptions;
  }

  /**
   * The memory that the factors take.
   *
   * @return bytes of the Java heap
   */
  public long bytes() {
    return blocks.stream().mapToLong(FactorBlock::bytes).sum();
  }

  @Override
  public double flopsPerExample() {
    return blocks.stream().mapToDouble(FactorBlock::flopsPerExample).sum();
  }

  @Override
  public Products products(int largestBatch) {
    return new OfBlocks(largestBatch);
  }

  private final class OfBlocks implements Products {
    private final FactorBlock.Part[] parts;
    private final int[] stored;
    private double[] scratch = {};
    private int rows;

    OfBlocks(int largestBatch) {
      parts =
          blocks.stream()
              .map(block -> block.part(outputs, largestBatch))
              .toArray(FactorBlock.Part[]::new);
      stored = new int[largestBatch];
    }

    @Override
    public void select(int[] chosen, int count) {
      rows = count * outputs;
      for (int b = 0; b < count; b++) {
        stored[b] = places[chosen[b]];
      }
      for (FactorBlock.Part part : parts) {
        part.select(stored, count);
      }
    }

    @Override
    public void outputs(double[][] z, double[][] u) {
      for (int j = 0; j < z.length; j++) {
        Arrays.fill(u[j], 0, rows, 0);
      }
      int at = 0;
      for (int l = 0; l < parts.length; l++) {
        parts[l].addOutputs(z, at, u);
        at += blocks.get(l).width();
      }
    }

    @Override
    public void addGradient(double[][] u, double[][] z) {
      int at = 0;
      for (int l = 0; l < parts.length; l++) {
        parts[l].addGradient(u, z, at);
        at += blocks.get(l).width();
      }
    }

    @Override
    public void outputs(double[] z, double[] u) {
      outputs(new double[][] {z}, new double[][] {u});
    }

    @Override
    public void addGradient(double[] u, double[] z) {
      addGradient(new double[][] {u}, new double[][] {z});
    }

    @Override
    public void block(double[] block) {
      Arrays.fill(block, 0);
      if (scratch.length == 0) {
        scratch = new double[blocks.stream().mapToInt(FactorBlock::width).max().orElse(0)];
      }
      for (int l = 0; l < parts.length; l++) {
        parts[l].addBlock(outputs, blocks.get(l).width(), scratch, block);
      }
    }
  }
}
