// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.dl4j.gram.NtkGram;
import org.lyapunov4j.dl4j.step.StepReader;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Deeplearning4j sums losses over time steps, divides by the number of series, masked or not, and
 * leaves masked steps out. So on a linear model one real step takes the residual r = Rᵀ(f − y) of
 * all steps that count to r − (η/N) G r, exactly.
 */
class TimeSeriesStepTest {
  private static final int SERIES = 4;
  private static final int INPUTS = 3;
  private static final int STEPS = 5;
  private static final double RATE = 0.07;

  @ParameterizedTest
  @CsvSource({"MSE, 1, false", "MSE, 3, true", "L2, 3, true", "L2, 1, true"})
  void oneStepOfTrainingIsTheLinearStep(LossFunction loss, int outputs, boolean masked) {
    MultiLayerNetwork network = network(loss, outputs);
    DataSet data = data(outputs, masked);
    GramMatrix gram;
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      gram = ntk.compute(network.params()).gram();
    }
    double rate =
        new StepReader(MiniBatchSampling.IID_SUBSETS)
            .read(network, 0, 0, SERIES)
            .sgd()
            .learningRate();
    double[] before = residual(network, data, loss, outputs);
    network.fit(data);
    double[] after = residual(network, data, loss, outputs);
    double[] product = new double[before.length];
    gram.multiply(before, product);
    double error = 0;
    double moved = 0;
    for (int i = 0; i < before.length; i++) {
      double expected = before[i] - rate / SERIES * product[i];
      error = Math.max(error, Math.abs(after[i] - expected));
      moved = Math.max(moved, Math.abs(after[i] - before[i]));
    }
    assertThat(moved).isGreaterThan(1e-3);
    assertThat(error).isLessThan(1e-12);
  }

  /** Rᵀ(f − y), series by series, step by step; masked steps have none, zeros fill a series up. */
  private static double[] residual(
      MultiLayerNetwork network, DataSet data, LossFunction loss, int outputs) {
    INDArray difference = network.output(data.getFeatures()).sub(data.getLabels());
    INDArray mask = data.getLabelsMaskArray();
    double root = Math.sqrt(loss == LossFunction.L2 ? 2 : 2.0 / outputs);
    double[] residual = new double[SERIES * STEPS * outputs];
    for (int i = 0; i < SERIES; i++) {
      int row = i * STEPS * outputs;
      for (int t = 0; t < STEPS; t++) {
        for (int k = 0; k < outputs && (mask == null || mask.getDouble(i, t) == 1); k++) {
          residual[row++] = root * difference.getDouble(i, k, t);
        }
      }
    }
    return residual;
  }

  private static DataSet data(int outputs, boolean masked) {
    DataSet flat = Networks.data(6, SERIES, INPUTS * STEPS, outputs * STEPS, DataType.DOUBLE);
    INDArray mask = null;
    if (masked) {
      mask = Nd4j.ones(DataType.DOUBLE, SERIES, STEPS);
      mask.putScalar(0, 4, 0);
      mask.putScalar(2, 1, 0);
      mask.getRow(3).assign(0);
    }
    return new DataSet(
        flat.getFeatures().reshape('c', SERIES, INPUTS, STEPS),
        flat.getLabels().reshape('c', SERIES, outputs, STEPS),
        null,
        mask);
  }

  private static MultiLayerNetwork network(LossFunction loss, int outputs) {
    return Networks.initialise(
        Networks.configuration(new Sgd(RATE), DataType.DOUBLE)
            .list()
            .layer(
                new RnnOutputLayer.Builder(loss)
                    .nIn(INPUTS)
                    .nOut(outputs)
                    .dataFormat(RNNFormat.NCW)
                    .activation(Activation.IDENTITY)
                    .build())
            .build(),
        8);
  }
}
