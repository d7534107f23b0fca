// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.layers.AbstractLSTM;
import org.deeplearning4j.nn.params.LSTMParamInitializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Long short-term memory in Deeplearning4j's order of gates i, f, o, g, with peepholes or without:
 * c_t = f c_{t−1} + g i and h_t = o σ(c_t), where i = σ(z_i) has the layer's activation σ and f, o,
 * g have that of the gates, at z_f + p_f c_{t−1}, z_o + p_o c_t and z_g + p_g c_{t−1}.
 */
final class LstmRule extends RecurrentRule {
  private final Activation activation;
  private final Activation gate;
  private final boolean peepholes;
  private Factors[] factors;
  private INDArray cell;
  private INDArray cellBack;
  private INDArray peepholesBack;

  /**
   * What one step's derivatives are multiplied with, as row vectors.
   *
   * @param output ∂h/∂z_o
   * @param cell ∂h/∂c
   * @param forget ∂c/∂z_f
   * @param input ∂c/∂z_i
   * @param modulation ∂c/∂z_g
   * @param keep ∂c/∂c_{t−1}, gates held fixed
   * @param before c_{t−1}
   * @param now c_t before it is masked
   */
  private record Factors(
      INDArray output,
      INDArray cell,
      INDArray forget,
      INDArray input,
      INDArray modulation,
      INDArray keep,
      INDArray before,
      INDArray now) {}

  LstmRule(Layer layer, boolean peepholes) {
    super(layer);
    AbstractLSTM conf = (AbstractLSTM) layer.conf().getLayer();
    activation = new Activation(conf.getActivationFn());
    gate = new Activation(conf.getGateActivationFn());
    this.peepholes = peepholes;
  }

  @Override
  void begin(int steps, INDArray zeroState) {
    factors = new Factors[steps];
    cell = zeroState;
  }

  @Override
  INDArray step(int t, INDArray z, INDArray mask) {
    INDArray before = cell;
    INDArray zi = gate(z, 0);
    INDArray zf = addPeephole(gate(z, 1), before, 0);
    INDArray zg = addPeephole(gate(z, 3), before, 2);
    INDArray i = activation.forward(zi);
    INDArray f = gate.forward(zf);
    INDArray g = gate.forward(zg);
    INDArray now = f.mul(before).addi(g.mul(i));
    INDArray zo = addPeephole(gate(z, 2), now, 1);
    INDArray o = gate.forward(zo);
    INDArray squashed = activation.forward(now);
    factors[t] =
        new Factors(
            flat(gate.slope(zo).muli(squashed)),
            flat(activation.slope(now).muli(o)),
            flat(gate.slope(zf).muli(before)),
            flat(activation.slope(zi).muli(g)),
            flat(gate.slope(zg).muli(i)),
            flat(f),
            flat(before),
            flat(now));
    cell = mask == null ? now : scaled(now, mask);
    return scale(o.mul(squashed), mask);
  }

  private static INDArray gate(INDArray array, int index) {
    long width = array.size(1) / 4;
    return array
        .get(NDArrayIndex.all(), NDArrayIndex.interval(index * width, (index + 1) * width))
        .dup('c');
  }

  /** The weights from the cell to the gates f (0), o (1) and g (2). */
  private INDArray peephole(int which) {
    INDArray weights = peepholeWeights(which);
    return weights.dup('c').reshape('c', 1, weights.length());
  }

  private INDArray peepholeWeights(int which) {
    INDArray weights = layer.getParam(LSTMParamInitializer.RECURRENT_WEIGHT_KEY);
    return weights.getColumn(4 * weights.size(0) + which);
  }

  private INDArray addPeephole(INDArray z, INDArray state, int which) {
    return peepholes ? z.addi(state.mulRowVector(peephole(which))) : z;
  }

  @Override
  void beginBack(INDArray zeroState) {
    cellBack = zeroState;
    peepholesBack =
        peepholes
            ? Nd4j.zeros(zeroState.dataType(), zeroState.size(0), 3 * zeroState.size(1))
            : null;
  }

  @Override
  INDArray stepBack(int t, INDArray state, INDArray mask) {
    Factors step = factors[t];
    INDArray output = scaled(state, step.output());
    INDArray now = scale(cellBack, mask).addi(scale(state, step.cell()));
    if (peepholes) {
      now.addi(output.mulRowVector(peephole(1)));
    }
    INDArray forget = scaled(now, step.forget());
    INDArray modulation = scaled(now, step.modulation());
    INDArray delta = Nd4j.concat(1, scaled(now, step.input()), forget, output, modulation);
    cellBack = scale(now, step.keep());
    if (peepholes) {
      cellBack.addi(forget.mulRowVector(peephole(0))).addi(modulation.mulRowVector(peephole(2)));
      peepholesBack.addi(
          Nd4j.concat(
              1,
              scale(forget, step.before()),
              scale(output, step.now()),
              scale(modulation, step.before())));
    }
    return delta;
  }

  @Override
  void addBlocks(int examples, long rows, JacobianSink blocks) {
    if (peepholes) {
      blocks.accept(
          JacobianBlock.Rows.ofPositions(examples, rows / examples, peepholesBack),
          peepholeWeights(0),
          peepholeWeights(1),
          peepholeWeights(2));
    }
  }
}
