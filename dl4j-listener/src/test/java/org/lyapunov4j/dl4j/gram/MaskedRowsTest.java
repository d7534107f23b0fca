// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lyapunov4j.exponent.LyapunovEstimator;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.Sign;
import org.lyapunov4j.gram.ExampleBlocks;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GramSpectrum;
import org.lyapunov4j.gram.SlowestMode;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A recurrent classifier with some labelled steps: the matrix of these alone against that of all
 * steps, whose rows of other steps the mask then turns into zeros by hand.
 */
class MaskedRowsTest {
  private static final int N = 6;
  private static final int STEPS = 8;
  private static final int CLASSES = 3;

  /** Which steps have labels. */
  enum Labelled {
    /** One in each series, another one in each. */
    ONE,
    /** One, two or three. */
    SOME;

    boolean at(int i, int t) {
      int first = (3 * i + 1) % STEPS;
      int count = this == ONE ? 1 : 1 + i % 3;
      return IntStream.range(0, count).anyMatch(k -> (first + 2 * k) % STEPS == t);
    }

    int most() {
      return this == ONE ? 1 : 3;
    }
  }

  private static MultiLayerNetwork network() {
    return Networks.network(
        DataType.DOUBLE,
        7,
        InputType.recurrent(2, STEPS, RNNFormat.NCW),
        new LSTM.Builder().nOut(5).activation(Activation.TANH).build(),
        new RnnOutputLayer.Builder(LossFunction.MCXENT)
            .nOut(CLASSES)
            .activation(Activation.SOFTMAX)
            .build());
  }

  private static INDArray mask(Labelled labelled) {
    INDArray mask = Nd4j.zeros(DataType.DOUBLE, N, STEPS);
    for (int i = 0; i < N; i++) {
      for (int t = 0; t < STEPS; t++) {
        mask.putScalar(i, t, labelled.at(i, t) ? 1 : 0);
      }
    }
    return mask;
  }

  private static DataSet data(INDArray mask) {
    INDArray features = Networks.gaussian(1, N, 2, STEPS);
    INDArray labels = Nd4j.zeros(DataType.DOUBLE, N, CLASSES, STEPS);
    for (int i = 0; i < N; i++) {
      for (int t = 0; t < STEPS; t++) {
        labels.putScalar(new int[] {i, (i + t) % CLASSES, t}, 1);
      }
    }
    return new DataSet(features, labels, null, mask);
  }

  private static NtkGramResult gram(MultiLayerNetwork network, DataSet data) {
    try (NtkGram gram = NtkGram.builder(network).probe(data).build()) {
      return gram.compute(network.params());
    }
  }

  /** For each row of the small matrix that of the one of all steps, −1 where there is none. */
  private static int[] rows(Labelled labelled) {
    int outputs = labelled.most() * CLASSES;
    int[] rows = new int[N * outputs];
    Arrays.fill(rows, -1);
    for (int i = 0; i < N; i++) {
      int next = i * outputs;
      for (int t = 0; t < STEPS; t++) {
        for (int k = 0; k < CLASSES && labelled.at(i, t); k++) {
          rows[next++] = (i * STEPS + t) * CLASSES + k;
        }
      }
    }
    return rows;
  }

  @ParameterizedTest
  @EnumSource
  void everyEntryIsThatOfTheMatrixOfAllSteps(Labelled labelled) {
    MultiLayerNetwork network = network();
    NtkGramResult small = gram(network, data(mask(labelled)));
    NtkGramResult all = gram(network, data(null));
    int[] rows = rows(labelled);
    assertThat(small.gram().size()).isEqualTo(rows.length);
    assertThat(small.check().spotRows()).isPositive();
    assertThat(small.check().spotDeviation()).isLessThan(1e-12);
    double[] residuals = small.fit().residuals();
    double[] ofAll = all.fit().residuals();
    for (int r = 0; r < rows.length; r++) {
      assertThat(residuals[r]).isCloseTo(rows[r] < 0 ? 0 : ofAll[rows[r]], within(1e-12));
      for (int c = 0; c < rows.length; c++) {
        double expected = rows[r] < 0 || rows[c] < 0 ? 0 : all.gram().get(rows[r], rows[c]);
        assertThat(small.gram().get(r, c)).isCloseTo(expected, within(1e-13 * all.gram().trace()));
      }
    }
  }

  /** The score that Deeplearning4j itself computes. */
  @ParameterizedTest
  @EnumSource
  void theLossIsThatOfTheModel(Labelled labelled) {
    MultiLayerNetwork network = network();
    DataSet data = data(mask(labelled));
    assertThat(gram(network, data).fit().loss()).isCloseTo(network.score(data), within(1e-10));
  }

  /** The matrix of all steps with zeros in the rows and columns of those without a label. */
  private static GramMatrix whole(MultiLayerNetwork network, Labelled labelled) {
    double[][] rows = gram(network, data(null)).gram().toArray();
    for (int r = 0; r < rows.length; r++) {
      for (int c = 0; c < rows.length; c++) {
        if (!isLabelled(labelled, r) || !isLabelled(labelled, c)) {
          rows[r][c] = 0;
        }
      }
    }
    return GramMatrix.of(rows, N, STEPS * CLASSES);
  }

  private static boolean isLabelled(Labelled labelled, int row) {
    return labelled.at(row / CLASSES / STEPS, row / CLASSES % STEPS);
  }

  @ParameterizedTest
  @EnumSource
  void theSpectrumAndTheExamplesAreThoseOfTheWholeMatrix(Labelled labelled) {
    MultiLayerNetwork network = network();
    GramMatrix small = gram(network, data(mask(labelled))).gram();
    GramMatrix whole = whole(network, labelled);
    GramSpectrum a = GramSpectrum.of(small);
    GramSpectrum b = GramSpectrum.of(whole);
    for (int j = 1; j <= small.size(); j++) {
      assertThat(a.eigenvalue(small.size() - j))
          .isCloseTo(b.eigenvalue(whole.size() - j), within(1e-13 * a.largest()));
    }
    assertThat(a.rank()).isEqualTo(b.rank());
    for (int i = 0; i < N; i++) {
      double[] left = ExampleBlocks.of(small).eigenvalues(i);
      double[] right = ExampleBlocks.of(whole).eigenvalues(i);
      for (int j = 1; j <= left.length; j++) {
        assertThat(left[left.length - j])
            .isCloseTo(right[right.length - j], within(1e-13 * a.largest()));
      }
    }
  }

  /** λ of the slow branch, whose start is the same, from the same mini-batches. */
  @ParameterizedTest
  @EnumSource
  void theExponentOfASeedIsThatOfTheWholeMatrix(Labelled labelled) {
    MultiLayerNetwork network = network();
    GramMatrix small = gram(network, data(mask(labelled))).gram();
    GramMatrix whole = whole(network, labelled);
    double largest = GramSpectrum.of(small).largest();
    for (MiniBatchSampling sampling : MiniBatchSampling.values()) {
      SgdStep step = SgdStep.of(0.5 * N / largest, 2).withSampling(sampling);
      LyapunovExponent a = exponent(small, step);
      LyapunovExponent b = exponent(whole, step);
      assertThat(a.low()).isCloseTo(b.low(), within(1e-10));
      assertThat(a.high()).isCloseTo(b.high(), within(1e-10));
    }
  }

  private static LyapunovExponent exponent(GramMatrix gram, SgdStep step) {
    Optional<SlowestMode> slowest = SlowestMode.of(GramSpectrum.of(gram));
    return LyapunovEstimator.builder()
        .seed(3)
        .epochs(400)
        .build()
        .estimate(gram, step, slowest, Sign.NEGATIVE);
  }
}
