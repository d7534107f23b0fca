// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

class BatchSharpnessTest {
  @Test
  void ofSingleExamplesWithOneOutputItIsTheMeanDiagonal() {
    GramMatrix gram = wishart(5, 1);
    double[] e = {1, -2, 0.5, 3, 0.1};
    SgdStep step = SgdStep.of(0.1, 1).withSampling(MiniBatchSampling.ORDERED_EPOCHS);
    BatchSharpness found = BatchSharpness.estimate(gram, e, step, 5, new RandomStream(1));
    assertThat(found.meanOfRatios().value()).isCloseTo(gram.trace() / 5, within(1e-12));
    double curvature = 0;
    double square = 0;
    for (int i = 0; i < 5; i++) {
      curvature += Math.pow(gram.get(i, i) * e[i], 2);
      square += gram.get(i, i) * e[i] * e[i];
    }
    assertThat(found.ratioOfMeans().value()).isCloseTo(curvature / square, within(1e-12));
    assertThat(found.batches()).isEqualTo(5);
  }

  @Test
  void ofTheFullBatchBothAreTheRayleighQuotientAndAtMostTheSharpness() {
    GramMatrix gram = wishart(4, 3);
    double[] e = gaussian(12, 9);
    BatchSharpness found =
        BatchSharpness.estimate(gram, e, SgdStep.of(0.1, 4), 64, new RandomStream(1));
    double[] image = new double[12];
    gram.multiply(e, image);
    double square = 0;
    double curvature = 0;
    for (int r = 0; r < 12; r++) {
      square += e[r] * image[r];
      curvature += image[r] * image[r];
    }
    assertThat(found.meanOfRatios().value()).isCloseTo(curvature / square / 4, within(1e-12));
    assertThat(found.ratioOfMeans().value()).isEqualTo(found.meanOfRatios().value());
    assertThat(found.meanOfRatios().standardError()).isZero();
    assertThat(found.batches()).isEqualTo(1);
    assertThat(found.meanOfRatios().value())
        .isLessThanOrEqualTo(LargestEigenpair.of(gram).value() / 4);
  }

  /** The truth is the enumeration of all subsets. */
  @ParameterizedTest
  @CsvSource({"6, 1, 2", "6, 2, 3", "5, 3, 4", "7, 2, 1"})
  void agreesWithAllSubsets(int examples, int outputs, int batchSize) {
    GramMatrix gram = wishart(examples, outputs);
    double[] e = gaussian(examples * outputs, 3);
    double ratios = 0;
    double curvature = 0;
    double square = 0;
    int subsets = 0;
    for (int mask = 0; mask < 1 << examples; mask++) {
      if (Integer.bitCount(mask) == batchSize) {
        double[] pair = batch(gram, e, mask, batchSize);
        ratios += pair[0] / pair[1];
        curvature += pair[0];
        square += pair[1];
        subsets++;
      }
    }
    BatchSharpness found =
        BatchSharpness.estimate(
            gram, e, SgdStep.of(0.1, batchSize), 4000, new RandomStream(examples));
    assertThat(found.meanOfRatios().value())
        .isCloseTo(ratios / subsets, within(4 * found.meanOfRatios().standardError()));
    assertThat(found.ratioOfMeans().value())
        .isCloseTo(curvature / square, within(4 * found.ratioOfMeans().standardError()));
    assertThat(found.ratioOfMeans().standardError()).isBetween(1e-6, 0.05 * curvature / square);
  }

  /** gᵀHg and ‖g‖² by their definitions in function space. */
  private static double[] batch(GramMatrix gram, double[] e, int mask, int batchSize) {
    int outputs = gram.outputs();
    double curvature = 0;
    double square = 0;
    for (int r = 0; r < gram.size(); r++) {
      double image = 0;
      for (int s = 0; s < gram.size(); s++) {
        if ((mask >> (s / outputs) & 1) == 1) {
          image += gram.get(r, s) * e[s];
        }
      }
      if ((mask >> (r / outputs) & 1) == 1) {
        curvature += image * image / Math.pow(batchSize, 3);
        square += image * e[r] / Math.pow(batchSize, 2);
      }
    }
    return new double[] {curvature, square};
  }

  /** Of 200 batches the first 64 had been looked at: 1.0 ± 0.0. */
  @ParameterizedTest
  @CsvSource({"64", "150", "200", "1000"})
  void anOrderedEpochIsSeenToItsEnd(int batches) {
    int examples = 399;
    double[][] diagonal = new double[examples][examples];
    double[] e = new double[examples];
    double ratios = 0;
    double curvature = 0;
    double square = 0;
    for (int i = 0; i < examples; i++) {
      e[i] = 1;
      diagonal[i][i] = i < 133 ? 1 : 4;
    }
    for (int first = 0; first < examples; first += 2) {
      int size = Math.min(2, examples - first);
      double c = 0;
      double s = 0;
      for (int i = first; i < first + size; i++) {
        c += Math.pow(diagonal[i][i], 2) / Math.pow(size, 3);
        s += diagonal[i][i] / Math.pow(size, 2);
      }
      ratios += c / s / 200;
      curvature += c;
      square += s;
    }
    GramMatrix gram = GramMatrix.of(diagonal, examples, 1);
    SgdStep step = SgdStep.of(0.1, 2).withSampling(MiniBatchSampling.ORDERED_EPOCHS);
    BatchSharpness found = BatchSharpness.estimate(gram, e, step, batches, new RandomStream(3));
    assertThat(found.batches()).isEqualTo(Math.min(batches, 200));
    if (batches >= 200) {
      assertThat(found.meanOfRatios().value()).isCloseTo(ratios, within(1e-12));
      assertThat(found.ratioOfMeans().value()).isCloseTo(curvature / square, within(1e-12));
      assertThat(found.meanOfRatios().standardError()).isZero();
    } else {
      assertThat(found.meanOfRatios().value())
          .isCloseTo(ratios, within(3 * found.meanOfRatios().standardError()));
      assertThat(found.ratioOfMeans().value())
          .isCloseTo(curvature / square, within(3 * found.ratioOfMeans().standardError()));
      assertThat(found.meanOfRatios().standardError()).isBetween(0.01, 0.2);
    }
  }

  @Test
  void withoutAGradientThereIsNone() {
    BatchSharpness found =
        BatchSharpness.estimate(
            wishart(4, 1), new double[4], SgdStep.of(0.1, 2), 8, new RandomStream(1));
    assertThat(found.meanOfRatios().value()).isNaN();
    assertThat(found.ratioOfMeans().value()).isNaN();
    assertThat(found.batches()).isZero();
  }

  @Test
  void refusesNonsense() {
    GramMatrix gram = wishart(4, 1);
    SgdStep step = SgdStep.of(0.1, 2);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> BatchSharpness.estimate(gram, new double[3], step, 8, new RandomStream(1)))
        .withMessage("residuals must have the length m = 4, got 3");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> BatchSharpness.estimate(gram, new double[4], step, 1, new RandomStream(1)));
  }

  private static double[] gaussian(int length, long seed) {
    RandomStream random = new RandomStream(seed);
    double[] values = new double[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }

  private static GramMatrix wishart(int examples, int outputs) {
    int m = examples * outputs;
    double[][] factor = new double[m][];
    for (int i = 0; i < m; i++) {
      factor[i] = gaussian(2 * m, 100 + i);
    }
    double[][] rows = new double[m][m];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < m; j++) {
        for (int k = 0; k < 2 * m; k++) {
          rows[i][j] += factor[i][k] * factor[j][k] / (2 * m);
        }
      }
    }
    return GramMatrix.of(rows, examples, outputs);
  }
}
