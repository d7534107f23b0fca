// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lyapunov4j.exponent.TangentGram;
import org.lyapunov4j.exponent.TangentOperator;
import org.lyapunov4j.gram.GramMatrix;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Series of different lengths: steps beyond the end of a series are no rows of its factors. */
class FactorSweepTest {
  private static final int N = 9;
  private static final int STEPS = 8;
  private static final int CLASSES = 3;
  private static final int INPUTS = 2;
  private static final int UNITS = 8;

  private static int length(int i) {
    return 1 + 5 * i % STEPS;
  }

  private static MultiLayerNetwork network() {
    return Networks.network(
        DataType.DOUBLE,
        7,
        InputType.recurrent(INPUTS, STEPS, RNNFormat.NCW),
        new LSTM.Builder().nOut(UNITS).activation(Activation.TANH).build(),
        new DenseLayer.Builder().nOut(2).activation(Activation.TANH).build(),
        new RnnOutputLayer.Builder(LossFunction.MCXENT)
            .nOut(CLASSES)
            .activation(Activation.SOFTMAX)
            .build());
  }

  private static DataSet data(boolean ragged) {
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, N, CLASSES, STEPS);
    INDArray mask = Nd4j.zeros(DataType.DOUBLE, N, STEPS);
    for (int i = 0; i < N; i++) {
      for (int t = 0; t < (ragged ? length(i) : STEPS); t++) {
        labels.putScalar(new int[] {i, (i + t) % CLASSES, t}, 1);
        mask.putScalar(i, t, 1);
      }
    }
    return new DataSet(Networks.gaussian(1, N, INPUTS, STEPS), labels, mask, mask.dup());
  }

  private static NtkFactors factors(MultiLayerNetwork network, DataSet data, int chunk) {
    return factors(network, data, chunk, 1L << 40);
  }

  private static NtkFactors factors(
      MultiLayerNetwork network, DataSet data, int chunk, long budget) {
    try (FactorSweep sweep =
        FactorSweep.of(network, data.toMultiDataSet(), chunk, budget, () -> false)) {
      NtkFactors factors = sweep.compute(network.params(), null);
      assertThat((double) sweep.bytes())
          .isCloseTo((double) factors.bytes(), within(0.25 * factors.bytes()));
      assertThat(sweep.outputs()).isEqualTo(factors.outputs());
      return factors;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 100})
  void productsAreThoseOfTheMatrix(int chunk) {
    MultiLayerNetwork network = network();
    for (boolean ragged : new boolean[] {false, true}) {
      DataSet data = data(ragged);
      try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
        NtkGramResult known = ntk.compute(network.params());
        GramMatrix gram = known.gram();
        NtkFactors factors = factors(network, data, chunk);
        assertThat(factors.outputs()).isEqualTo(gram.outputs());
        assertThat(factors.loss()).isCloseTo(known.fit().loss(), within(1e-12));
        ConformanceKit.compare(gram, factors);
      }
    }
  }

  /** In chunks of any size, and as for the mean of the lengths. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 100})
  void stepsBeyondTheEndTakeNoMemory(int chunk) {
    MultiLayerNetwork network = network();
    NtkFactors ragged = factors(network, data(true), chunk);
    NtkFactors full = factors(network, data(false), chunk);
    int steps = 0;
    for (int i = 0; i < N; i++) {
      steps += length(i);
    }
    // the LSTM is kept as inputs, which do not depend on the rows, and derivatives
    int positions = N * STEPS;
    long inputs = (long) Double.BYTES * positions * (INPUTS + UNITS);
    double share = (double) steps / positions;
    assertThat(share).isLessThan(0.6);
    assertThat((double) (ragged.bytes() - inputs))
        .isCloseTo(share * (full.bytes() - inputs), within(1.0));
    assertThat(ragged.flopsPerExample()).isLessThan(full.flopsPerExample());
  }

  /** A convolution with 64 positions, so that twelve examples are three tiles of its products. */
  @Test
  void productsOfManyPositionsAreThoseOfTheMatrix() {
    int examples = 12;
    int outputs = 20;
    MultiLayerNetwork network =
        Networks.network(
            DataType.DOUBLE,
            7,
            InputType.convolutional(10, 10, 8),
            new ConvolutionLayer.Builder(3, 3).nOut(32).activation(Activation.TANH).build(),
            new OutputLayer.Builder(LossFunction.MSE)
                .nOut(outputs)
                .activation(Activation.IDENTITY)
                .build());
    DataSet data =
        new DataSet(
            Networks.gaussian(1, examples, 8, 10, 10), Networks.gaussian(2, examples, outputs));
    NtkFactors factors = factors(network, data, 5);
    // inputs and derivatives of both layers, no rows
    assertThat(factors.bytes())
        .isEqualTo(
            (long) Double.BYTES
                * examples
                * (64 * (9 * 8 + outputs * 32) + 64 * 32 + outputs * outputs));
    try (NtkGram ntk = NtkGram.builder(network).probe(data).build()) {
      GramMatrix gram = ntk.compute(network.params()).gram();
      double[] v = Networks.gaussian(3, gram.size()).toDoubleVector();
      double[] expected = new double[v.length];
      gram.multiply(v, expected);
      double[] found = new double[v.length];
      new TangentGram(factors, 1, () -> false).apply(v, found);
      double[] batch = outputsOfOneBatch(factors, v);
      for (int row = 0; row < v.length; row++) {
        assertThat(found[row]).isCloseTo(expected[row], within(1e-12 * gram.trace()));
        assertThat(batch[row]).isCloseTo(expected[row], within(1e-12 * gram.trace()));
      }
    }
  }

  /**
   * Rows of a convolution are widened where there is room for it, and nothing is refused for it.
   */
  @Test
  void memoryThatOnlySavesTimeIsNotNeeded() {
    int outputs = 3;
    MultiLayerNetwork network =
        Networks.network(
            DataType.FLOAT,
            7,
            InputType.convolutional(10, 10, 1),
            new ConvolutionLayer.Builder(5, 5).nOut(6).activation(Activation.TANH).build(),
            new DenseLayer.Builder().nOut(600).activation(Activation.TANH).build(),
            new OutputLayer.Builder(LossFunction.MSE)
                .nOut(outputs)
                .activation(Activation.IDENTITY)
                .build());
    INDArray images = Networks.gaussian(1, N, 1, 10, 10).castTo(DataType.FLOAT);
    INDArray targets = Networks.gaussian(2, N, outputs).castTo(DataType.FLOAT);
    DataSet data = new DataSet(images, targets);
    int width = (25 + 1) * 6;
    long rows = (long) Float.BYTES * N * outputs * width;
    // two pieces of doubles with their headers
    long widened = 2L * N * outputs * (24 + Double.BYTES * (width / 2));
    NtkFactors wide = factors(network, data, 4, 1L << 40);
    long budget = wide.bytes() - 1;
    assertThat(rows).isLessThan(budget / 4);
    NtkFactors narrow = factors(network, data, 4, budget);
    assertThat(wide.bytes() - narrow.bytes()).isEqualTo(widened - rows);
    double[] v = Networks.gaussian(3, (long) N * outputs).toDoubleVector();
    assertThat(outputsOfOneBatch(narrow, v)).containsExactly(outputsOfOneBatch(wide, v));
  }

  /** J Jᵀ v with all examples in one batch. */
  private static double[] outputsOfOneBatch(NtkFactors factors, double[] v) {
    int[] all = IntStream.range(0, factors.examples()).toArray();
    TangentOperator.Products products = factors.products(all.length);
    products.select(all, all.length);
    double[] z = new double[factors.dimension()];
    products.addGradient(v, z);
    double[] u = new double[v.length];
    products.outputs(z, u);
    return u;
  }
}
