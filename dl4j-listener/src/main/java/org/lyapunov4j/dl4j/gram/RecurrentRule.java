// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.params.SimpleRnnParamInitializer;
import org.lyapunov4j.gram.MatrixProduct;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A recurrent layer: at every time step t a dense layer z_t = x_t W + h_{t−1} R + b followed by a
 * cell. The cell's derivatives δ_t with respect to z_t come from one sweep back through time, all
 * examples and columns at once; then the layer is a sum over its time steps like any other, with
 * inputs [x_t, h_{t−1}].
 *
 * <p>At a masked step state and output are set to 0, and with them what is propagated.
 * Deeplearning4j's own backward pass of LSTM leaves masks out, which makes a difference where a
 * masked step is followed by one that is not.
 */
abstract class RecurrentRule extends LayerRule {
  final Layer layer;
  private final boolean channelsLast;
  private int examples;
  private long[] shape;
  private INDArray inputs;
  private INDArray[] masks;

  RecurrentRule(Layer layer) {
    this.layer = layer;
    BaseRecurrentLayer conf = (BaseRecurrentLayer) layer.conf().getLayer();
    channelsLast = conf.getRnnDataFormat() == RNNFormat.NWC;
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  /** Starts a pass over T steps of some rows. */
  abstract void begin(int steps, INDArray zeroState);

  /**
   * The cell at one step.
   *
   * @param z rows × q, may be overwritten
   * @param mask 1 or 0 for every value of the state, or null
   * @return h_t, rows × n
   */
  abstract INDArray step(int t, INDArray z, INDArray mask);

  /** Starts the sweep back. */
  abstract void beginBack(INDArray zeroState);

  /**
   * The cell's derivatives at one step.
   *
   * @param state derivatives with respect to h_t, columns stacked, masked; may be overwritten
   * @param mask as on the way forward
   * @return δ_t, columns stacked
   */
  abstract INDArray stepBack(int t, INDArray state, INDArray mask);

  /**
   * Hands over blocks beyond those of W, R and b.
   *
   * @param examples N
   * @param rows the number of series, N or a multiple of it
   */
  void addBlocks(int examples, long rows, JacobianSink blocks) {}

  private INDArray weights() {
    return layer.getParam(SimpleRnnParamInitializer.WEIGHT_KEY);
  }

  /** R, n × q, a view. */
  private INDArray recurrentWeights() {
    INDArray all = layer.getParam(SimpleRnnParamInitializer.RECURRENT_WEIGHT_KEY);
    return all.get(NDArrayIndex.all(), NDArrayIndex.interval(0, weights().size(1)));
  }

  private INDArray bias() {
    return layer.getParam(SimpleRnnParamInitializer.BIAS_KEY);
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    shape = input.shape();
    INDArray x = TimeStepsRule.rows(input, channelsLast);
    long rows = shape[0];
    int steps = (int) (x.size(0) / rows);
    INDArray recurrent = recurrentWeights().dup('f');
    INDArray z = stepsFirst(StackedColumns.times(x, weights()).addiRowVector(bias()), rows);
    INDArray zero = Nd4j.zeros(x.dataType(), rows, recurrent.size(0));
    INDArray before = Nd4j.createUninitialized(zero.dataType(), states(steps, zero), 'c');
    INDArray after = Nd4j.createUninitialized(zero.dataType(), states(steps, zero), 'c');
    masks = masks(steps, zero);
    begin(steps, zero);
    INDArray state = zero;
    MatrixProduct series = MatrixProduct.series();
    for (int t = 0; t < steps; t++) {
      before.slice(t).assign(state);
      INDArray step = z.slice(t);
      if (t > 0) {
        step.addi(StackedColumns.times(series, state, recurrent));
      }
      state = step(t, step, masks[t]);
      after.slice(t).assign(state);
    }
    inputs = Nd4j.concat(1, x, stepsLast(before)).dup('c');
    return TimeStepsRule.series(
        stepsLast(after), outputShape(recurrent.size(0), steps), channelsLast);
  }

  private static long[] states(int steps, INDArray zero) {
    return new long[] {steps, zero.size(0), zero.size(1)};
  }

  private long[] outputShape(long width, int steps) {
    return channelsLast ? new long[] {shape[0], steps, width} : new long[] {shape[0], width, steps};
  }

  /** The mask of each step as a row vector over all rows' states; null where there is none. */
  private INDArray[] masks(int steps, INDArray zero) {
    INDArray[] result = new INDArray[steps];
    INDArray mask = layer.getMaskArray();
    for (int t = 0; mask != null && t < steps; t++) {
      INDArray column = mask.castTo(zero.dataType()).getColumn(t, true).dup('c');
      result[t] = flat(Nd4j.onesLike(zero).muliColumnVector(column));
    }
    return result;
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    INDArray recurrent = recurrentWeights().dup('f');
    INDArray state = stepsFirst(TimeStepsRule.rows(epsilon, channelsLast), epsilon.size(0));
    int steps = (int) state.size(0);
    long rows = state.size(1);
    long width = recurrent.size(1);
    INDArray deltas =
        Nd4j.createUninitialized(epsilon.dataType(), new long[] {rows, steps, width}, 'c');
    beginBack(Nd4j.zeros(epsilon.dataType(), rows, recurrent.size(0)));
    INDArray delta = null;
    MatrixProduct series = MatrixProduct.series();
    for (int t = steps - 1; t >= 0; t--) {
      INDArray step = state.slice(t);
      if (delta != null) {
        step.addi(StackedColumns.timesTransposed(series, delta, recurrent));
      }
      delta = stepBack(t, scale(step, masks[t]), masks[t]);
      deltas.get(NDArrayIndex.all(), NDArrayIndex.point(t), NDArrayIndex.all()).assign(delta);
    }
    INDArray flat = deltas.reshape('c', rows * steps, width);
    int positions = (int) (inputs.size(0) / examples);
    blocks.accept(
        new JacobianBlock.Outer(examples, positions, false, inputs, flat, 1),
        weights(),
        recurrentWeights(),
        bias());
    addBlocks(examples, shape[0], blocks);
    return propagate
        ? TimeStepsRule.series(StackedColumns.timesTransposed(flat, weights()), shape, channelsLast)
        : null;
  }

  /** Rows·T × c to T × rows × c. */
  private static INDArray stepsFirst(INDArray array, long rows) {
    return StackedColumns.packed(array)
        .reshape('c', rows, array.size(0) / rows, array.size(1))
        .permute(1, 0, 2)
        .dup('c');
  }

  /** T × rows × c to rows·T × c. */
  private static INDArray stepsLast(INDArray array) {
    return array
        .permute(1, 0, 2)
        .dup('c')
        .reshape('c', array.size(0) * array.size(1), array.size(2));
  }

  /** A matrix in 'c' order as one row. */
  static INDArray flat(INDArray matrix) {
    return matrix.reshape('c', 1, matrix.length());
  }

  /** Multiplies each column's block of rows with a row vector over all its values, in place. */
  static INDArray scale(INDArray stacked, INDArray factors) {
    if (factors != null) {
      stacked
          .reshape('c', stacked.length() / factors.length(), factors.length())
          .muliRowVector(factors);
    }
    return stacked;
  }

  /** The same into a new array. */
  static INDArray scaled(INDArray stacked, INDArray factors) {
    return scale(stacked.dup('c'), factors);
  }
}
